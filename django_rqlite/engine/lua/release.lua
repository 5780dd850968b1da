-- Change:    started -> queued, when a worker shuts down before the job has ended
-- KEYS:      1 the job's hash, 2 the queue's list
-- ARGV:      1 prefix, 2 worker, 3 id, 4 queue, 5 execution
-- Returns:   'released', or 'lost' if the execution no longer held the job
-- Invariant: the id goes to the front, because it has waited longest, and the execution does not
--            count as a crash. If the key of the queue has the wrong type, the id stays in the
--            started registry meanwhile.
--@include keys
--@include clock
--@include execution
local worker, id, queue, execution = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if not holds(queue, id, execution) then return 'lost' end
local placed = try_command('LPUSH', KEYS[2], id)
redis.call('HSET', KEYS[1], 'status', 'queued')
redis.call('HDEL', KEYS[1], 'started_at', 'last_heartbeat', 'worker_name')
local began = began_at(id, execution)
end_execution(queue, id, execution, not placed and now)
update_worker(worker, execution, began, nil)
return 'released'
