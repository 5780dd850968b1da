-- Change:    (new) -> scheduled
-- KEYS:      1 the job's hash, 2 the queue's scheduled registry, 3 the set of queues
-- ARGV:      1 prefix, 2 id, 3 queue, 4 when it is due in unix seconds, or '+' and seconds from
--            now, 5 '1' if the id was made for this call, 'only' to refuse the call if there is a
--            job with this id, 6.. field, value, ...
-- Returns:   {'scheduled', unix seconds at which it is due}; or a refusal, see older_job.lua
-- Invariant: as enqueue.lua, with the scheduled registry as the place: hash and entry appear in one
--            step, so that no promotion finds one without the other.
--@include keys
--@include clock
--@include older_job
--@include schedule
local id, queue, minted = ARGV[2], ARGV[3], ARGV[5]
local after = string.match(ARGV[4], '^%+(.*)$')
local due = after and now + tonumber(after) or tonumber(ARGV[4])

local status = redis.call('HGET', KEYS[1], 'status')
if status and minted == '1' then return {'scheduled', tostring(due)} end
local refused = refusal(id, status, minted == 'only', 6)
if refused then return refused end
-- If one of these keys has the wrong type, the script ends here, and nothing has changed.
redis.call('ZCARD', KEYS[2])
redis.call('SCARD', KEYS[3])
if minted ~= '1' then remove_older_job(id, queue, status) end
redis.call('ZADD', KEYS[2], due, id)
redis.call('SADD', KEYS[3], queue_key(queue))
delete_job_keys(id)
redis.call('HSET', KEYS[1], 'origin', queue, 'status', 'scheduled', 'created_at', timestamp(now),
  'x_created', now_micro, unpack(ARGV, 6))
add_unique_and_group(id, 6)
announce(queue, due)
return {'scheduled', tostring(due)}
