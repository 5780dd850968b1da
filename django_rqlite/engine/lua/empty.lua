-- Arrow:     queued -> (gone), for a batch of one queue's jobs
-- KEYS:      1 the queue's list
-- ARGV:      1 prefix, 2 queue, 3 how many ids to take at the most
-- Returns:   {jobs deleted, ids still in the list}
-- Invariant: only jobs that wait in this queue are deleted. An id whose job is elsewhere (it was
--            requeued or moved by another tool) leaves the list, and its job stays.
--@include keys
--@include places
local deleted = 0
for _ = 1, tonumber(ARGV[3]) do
  local id = redis.call('LPOP', KEYS[1])
  if not id then break end
  local fields = redis.call('HMGET', job_key(id), 'status', 'origin')
  if fields[1] == 'queued' and (not fields[2] or fields[2] == ARGV[2]) then
    redis.call('DEL', executions_key(id))
    forget(id)
    deleted = deleted + 1
  end
end
return {deleted, redis.call('LLEN', KEYS[1])}
