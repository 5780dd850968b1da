-- Arrow:     (new) -> queued
-- KEYS:      1 the job's hash, 2 the queue's list, 3 the set of queues
-- ARGV:      1 prefix, 2 id, 3 queue, 4 '1' to push at the front, 5 ttl in seconds or '',
--            6 '1' when the id was minted for this very call, 'new' when moreover the job has neither
--            a unique key nor a group, 'only' when it is to be the only one of its id,
--            7.. field, value, ...
-- Returns:   when, in unix microseconds; {'running', worker} when a job with this id runs now;
--            {'exists', status} or {'held', id}: see unique.lua. Then nothing was changed.
-- Invariant: the hash and the list entry appear together, and the id stands in one place only:
--            an older job of the same id that waits or has ended is replaced. A minted id that
--            exists can only be this call's first try whose answer was lost: nothing is done.
--@include timestamp
local id, queue, at_front, ttl, minted = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

-- Nearly every job is such a one: nothing of it can be anywhere, so there is nothing to look for and
-- to clear away. It comes before the other parts since a script makes its functions anew with each
-- run, which takes longer than all that is done here.
if minted == 'new' then
  local known = redis.call('HGET', KEYS[1], 'x_created')
  if known then return known end
  redis.call(at_front == '1' and 'LPUSH' or 'RPUSH', KEYS[2], id)
  if type(redis.pcall('SADD', KEYS[3], KEYS[2])) == 'table' then
    -- Foreign data stands there. This ends the script, while nothing has changed.
    redis.call(at_front == '1' and 'LPOP' or 'RPOP', KEYS[2])
    redis.call('SADD', KEYS[3], KEYS[2])
  end
  local time = redis.call('TIME')
  local at, micro = stamp(time[1]), time[1] .. string.format('%06d', time[2])
  redis.call('HSET', KEYS[1], 'origin', queue, 'status', 'queued', 'created_at', at,
    'enqueued_at', at, 'x_created', micro, unpack(ARGV, 7))
  if ttl ~= '' then redis.call('EXPIRE', KEYS[1], ttl) end
  return micro
end

--@include keys
--@include clock
--@include places
--@include push_new

-- Should foreign data stand under one of these keys, this ends the script while nothing has changed.
redis.call('LLEN', KEYS[2])
redis.call('SCARD', KEYS[3])

local status = redis.call('HGET', KEYS[1], 'status')
if status then
  if minted == '1' then return redis.call('HGET', KEYS[1], 'x_created') or '' end
  if status == 'started' then
    return {'running', redis.call('HGET', KEYS[1], 'worker_name') or ''}
  end
end
local refused = refusal(id, minted == 'only', 7)
if refused then return refused end
if minted ~= '1' then
  -- Also where there is no hash: it may have expired before its id left the queue or a registry.
  leave_places(id, redis.call('HGET', KEYS[1], 'origin') or queue, status)
end

return push_new(id, queue, at_front, ttl, 7)
