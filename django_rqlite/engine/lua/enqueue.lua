-- Change:    (new) -> queued
-- KEYS:      1 the job's hash, 2 the queue's list, 3 the set of queues
-- ARGV:      1 prefix, 2 id, 3 queue, 4 '1' to push at the front, 5 ttl in seconds or '',
--            6 '1' if the id was made for this call, 'new' if the job also has neither a unique key
--            nor a group, 'only' to refuse the call if there is a job with this id, 7.. field,
--            value, ...
-- Returns:   when the job was enqueued, in unix microseconds; or a refusal, see older_job.lua
-- Invariant: the hash and the list entry appear in one step, and the id is in one place only: an
--            older job with the same id that waits or has ended is replaced. An id that was made
--            for this call and exists comes from an earlier try whose answer was lost; then nothing
--            is done.
--@include timestamp
local id, queue, at_front, ttl, minted = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

-- Nearly every job is of this kind: none of its keys can exist, so there is nothing to look for or
-- to delete. This branch comes before the shared parts, because each run of a script creates the
-- functions that it reaches, and that takes longer than this whole branch.
if minted == 'new' then
  local known = redis.call('HGET', KEYS[1], 'x_created')
  if known then return known end
  redis.call(at_front == '1' and 'LPUSH' or 'RPUSH', KEYS[2], id)
  if type(redis.pcall('SADD', KEYS[3], KEYS[2])) == 'table' then
    -- The key has the wrong type. The second SADD ends the script, and nothing has changed.
    redis.call(at_front == '1' and 'LPOP' or 'RPOP', KEYS[2])
    redis.call('SADD', KEYS[3], KEYS[2])
  end
  local time = redis.call('TIME')
  local at, micro = timestamp(time[1]), time[1] .. string.format('%06d', time[2])
  redis.call('HSET', KEYS[1], 'origin', queue, 'status', 'queued', 'created_at', at,
    'enqueued_at', at, 'x_created', micro, unpack(ARGV, 7))
  if ttl ~= '' then redis.call('EXPIRE', KEYS[1], ttl) end
  return micro
end

--@include keys
--@include clock
--@include older_job
--@include push_new

-- If one of these keys has the wrong type, the script ends here, and nothing has changed.
redis.call('LLEN', KEYS[2])
redis.call('SCARD', KEYS[3])

local status = redis.call('HGET', KEYS[1], 'status')
if status and minted == '1' then return redis.call('HGET', KEYS[1], 'x_created') or '' end
local refused = refusal(id, status, minted == 'only', 7)
if refused then return refused end
if minted ~= '1' then remove_older_job(id, queue, status) end
return push_new(id, queue, at_front, ttl, 7)
