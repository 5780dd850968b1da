-- Change:    finished, failed or canceled -> (gone): ids whose jobs have expired leave their
--            registries
-- KEYS:      1.. for each queue its finished, its failed and its canceled registry
-- ARGV:      1 prefix, 2 how many ids leave the finished and canceled registries at most,
--            3 how many leave the failed registries at most
-- Returns:   {how many ids left, 1 if there may be more}
-- Invariant: only expired ids leave. Failed jobs that are kept for ever have the score -1 and stay.
--@include keys
--@include clock
--@include failed_mirror
--@include dependents
local most, most_failed = tonumber(ARGV[2]), tonumber(ARGV[3])
local trimmed = 0

-- Removes the ids with scores from 0 to this one. They are consecutive, after those that are kept
-- for ever.
local function trim(registry, score)
  local expired = math.min(most, redis.call('ZCOUNT', registry, 0, score))
  if expired == 0 then return end
  local first = redis.call('ZCOUNT', registry, '-inf', '(0')
  trimmed = trimmed + redis.call('ZREMRANGEBYRANK', registry, first, first + expired - 1)
  most = most - expired
end

-- Each failed id also leaves the mirror.
local function trim_failed(registry)
  local expired = redis.call('ZRANGEBYSCORE', registry, 0, now, 'LIMIT', 0, most_failed)
  for _, id in ipairs(expired) do
    redis.call('ZREM', registry, id)
    remove_from_mirror(id, true)
  end
  trimmed = trimmed + #expired
  most_failed = most_failed - #expired
end

-- Scores: in finished and failed when the job expires, in canceled when it was canceled.
for i = 1, #KEYS, 3 do
  if usable(KEYS[i], 'zset') then trim(KEYS[i], now) end
  if usable(KEYS[i + 1], 'zset') then trim_failed(KEYS[i + 1]) end
  if usable(KEYS[i + 2], 'zset') then trim(KEYS[i + 2], now - CANCELED_TTL) end
end
return {trimmed, (most == 0 or most_failed == 0) and 1 or 0}
