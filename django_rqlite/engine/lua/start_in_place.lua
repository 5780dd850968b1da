-- Change:    (new) -> started, for a queue with ASYNC: False: the caller runs the job itself
-- KEYS:      1 the job's hash, 2 the queue's list, 3 the set of queues
-- ARGV:      1 prefix, 2 id, 3 queue, 4 execution, 5 lease in seconds, 6 the worker's name in
--            the job, 7 'only' to refuse the call if there is a job with this id, 8.. field, value,
--            ...
-- Returns:   {'started', when, in unix microseconds}; or a refusal, see older_job.lua
-- Invariant: as enqueue.lua, with the started registry as the place, so that a worker finds the job
--            by its lease if the caller dies.
--@include keys
--@include clock
--@include execution
--@include older_job
local id, queue, execution, worker_name = ARGV[2], ARGV[3], ARGV[4], ARGV[6]
local lease = tonumber(ARGV[5])

-- If one of these keys has the wrong type, the script ends here, and nothing has changed.
redis.call('ZCARD', started_key(queue))
redis.call('SCARD', KEYS[3])

local status = redis.call('HGET', KEYS[1], 'status')
if status and holds(queue, id, execution) then
  return {'started', redis.call('HGET', KEYS[1], 'x_created') or now_micro}
end
local refused = refusal(id, status, ARGV[7] == 'only', 8)
if refused then return refused end
remove_older_job(id, queue, status)
delete_job_keys(id)

local at = timestamp(now)
redis.call('HSET', KEYS[1], 'created_at', at, 'enqueued_at', at,
  'x_created', now_micro, unpack(ARGV, 8))
add_unique_and_group(id, 8)
redis.call('SADD', KEYS[3], KEYS[2])
add_to_started(queue, id, execution, lease)
begin_execution(queue, id, execution, worker_name, lease)
return {'started', now_micro}
