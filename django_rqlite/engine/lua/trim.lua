-- Arrow:     finished, failed or canceled -> (gone): ids whose jobs have expired leave their registry,
--            and ids of jobs that have not failed leave the mirror
-- KEYS:      1 the queue's finished registry, 2 its failed registry, 3 its canceled registry
-- ARGV:      1 prefix, 2 how many ids to take from each registry, and to look at in the mirror, at
--            the most
-- Returns:   how many ids left the registries
-- Invariant: only what has expired goes. Failed jobs kept for ever have the score -1 and stay.
--@include keys
--@include clock
--@include mirror
--@include dependents

-- RQ 2 requeues and deletes failed jobs without knowing of the mirror, so ids that do not belong
-- there stay behind, or stand there twice once the job has failed again. Nothing is ever popped
-- from it, so a part at a time is soon enough: the one that the clock's microseconds choose.
local function tidy_mirror(most)
  local list = failed_mirror_key()
  if not usable(list, 'list') then return end
  local parts = math.ceil(redis.call('LLEN', list) / most)
  if parts == 0 then return end
  local first = tonumber(clock[2]) % parts * most
  local seen, stale = {}, false
  for i, id in ipairs(redis.call('LRANGE', list, first, first + most - 1)) do
    local status = usable(job_key(id), 'hash') and redis.call('HGET', job_key(id), 'status')
    if seen[id] or (status ~= 'failed' and status ~= 'stopped') then
      redis.call('LSET', list, first + i - 1, '')
      stale = true
    end
    seen[id] = true
  end
  if stale then redis.call('LREM', list, 0, '') end
end

-- The scores of the first two say when a job expires, those of the third when it was canceled.
local expired_before = {now, now, now - CANCELED_TTL}

local trimmed = 0
for i = 1, 3 do
  local expired = usable(KEYS[i], 'zset')
    and redis.call('ZRANGEBYSCORE', KEYS[i], 0, expired_before[i], 'LIMIT', 0, ARGV[2]) or {}
  for _, id in ipairs(expired) do
    redis.call('ZREM', KEYS[i], id)
    if i == 2 then unmirror(id, true) end
    trimmed = trimmed + 1
  end
end
tidy_mirror(tonumber(ARGV[2]))
return trimmed
