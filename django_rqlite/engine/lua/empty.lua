-- Change:    queued -> (gone), for a batch of one queue's jobs
-- KEYS:      1 the queue's list
-- ARGV:      1 prefix, 2 queue, 3 how many ids are taken at most
-- Returns:   {how many jobs were deleted, how many ids are still in the list}
-- Invariant: only jobs that wait in this queue are deleted. An id whose job is elsewhere (it runs,
--            has ended, or another tool put it into two queues) leaves the list, and its job stays.
--@include keys
--@include clock
--@include places
--@include dependents
local queue = ARGV[2]

local function waits_only_here(id)
  delete_wrong_type(job_key(id), 'hash')
  local fields = redis.call('HMGET', job_key(id), 'status', 'origin')
  if fields[1] ~= 'queued' then return false end
  local origin = fields[2] or queue
  return origin == queue or not usable(queue_key(origin), 'list')
    or not redis.call('LPOS', queue_key(origin), id)
end

local deleted = 0
for _ = 1, tonumber(ARGV[3]) do
  local id = redis.call('LPOP', KEYS[1])
  if not id then break end
  if waits_only_here(id) then
    redis.call('DEL', executions_key(id))
    delete_job_keys(id)
    notify_dependents(id, 'was deleted')
    deleted = deleted + 1
  end
end
return {deleted, redis.call('LLEN', KEYS[1])}
