-- Change:    none: ids of jobs that have not failed leave the mirror
-- KEYS:      1 the mirror, 2 how far it was checked in this round, 3 the ids noted to leave it
-- ARGV:      1 prefix, 2 how many entries are checked at most
-- Returns:   {how many entries left, how many were checked, how many there were, how many ids are
--            noted}
-- Invariant: RQ 2 requeues and deletes failed jobs without changing the mirror, so it leaves ids
--            behind. Each call, from any worker, checks the next part, until a round is complete.
--@include keys
--@include clock
--@include failed_mirror
local list, most = KEYS[1], tonumber(ARGV[2])
if not usable(list, 'list') then return {0, 0, 0, 0} end
delete_wrong_type(KEYS[2], 'string')
delete_wrong_type(KEYS[3], 'zset')
local length = redis.call('LLEN', list)
local first = length > most and tonumber(string.match(redis.call('GET', KEYS[2]) or '', '^%d+$'))
  or 0
if first >= length then first = 0 end

local seen, stale, looked = {}, {}, 0
for _, id in ipairs(redis.call('LRANGE', list, first, first + most - 1)) do
  local status = redis.pcall('HGET', job_key(id), 'status')  -- an error if it is not a hash
  local belongs = status == 'failed' or status == 'stopped'
  if seen[id] or not belongs then stale[#stale + 1] = first + looked - length end
  if not belongs then
    redis.call('ZREM', KEYS[3], id)
    if type(status) == 'string' then redis.call('HDEL', job_key(id), 'x_mirrored') end
  end
  seen[id] = true
  looked = looked + 1
end
remove_at(list, stale)
if length > most then
  redis.call('SET', KEYS[2], first + looked - #stale, 'EX', NOTES_TTL)
end
return {#stale, looked, length, redis.call('ZCARD', KEYS[3])}
