-- Arrow:     finished, failed or canceled -> (gone): ids whose jobs have expired leave their registry
-- KEYS:      1.. of each queue its finished, its failed and its canceled registry
-- ARGV:      1 prefix, 2 how many ids to take out of finished and canceled, 3 out of failed
--            registries, at the most
-- Returns:   {how many ids left, 1 when there may be more}
-- Invariant: only what has expired goes. Failed jobs kept for ever have the score -1 and stay.
--@include keys
--@include clock
--@include failed_mirror
--@include dependents
local most, most_failed = tonumber(ARGV[2]), tonumber(ARGV[3])
local trimmed = 0

-- Takes out what has a score from 0 to this one: it stands in a row, behind what is kept for ever.
local function trim(registry, score)
  local expired = math.min(most, redis.call('ZCOUNT', registry, 0, score))
  if expired == 0 then return end
  local first = redis.call('ZCOUNT', registry, '-inf', '(0')
  trimmed = trimmed + redis.call('ZREMRANGEBYRANK', registry, first, first + expired - 1)
  most = most - expired
end

-- Each failed one leaves the mirror, too.
local function trim_failed(registry)
  local expired = redis.call('ZRANGEBYSCORE', registry, 0, now, 'LIMIT', 0, most_failed)
  for _, id in ipairs(expired) do
    redis.call('ZREM', registry, id)
    unmirror(id, true)
  end
  trimmed = trimmed + #expired
  most_failed = most_failed - #expired
end

-- The scores of the first two say when a job expires, those of the third when it was canceled.
for i = 1, #KEYS, 3 do
  if usable(KEYS[i], 'zset') then trim(KEYS[i], now) end
  if usable(KEYS[i + 1], 'zset') then trim_failed(KEYS[i + 1]) end
  if usable(KEYS[i + 2], 'zset') then trim(KEYS[i + 2], now - CANCELED_TTL) end
end
return {trimmed, (most == 0 or most_failed == 0) and 1 or 0}
