-- The places a job's id can be in, and how it leaves them.
-- Needs: keys.lua

-- Takes the id out of every place of its queue. Sorted sets are cheap to ask; the list of the
-- queue is searched only when the status says that the id should be in it.
local function leave_places(id, queue, status)
  if status ~= 'started' and status ~= 'finished' and status ~= 'failed' then
    redis.call('LREM', queue_key(queue), 0, id)
  end
  for _, execution in ipairs(redis.call('ZRANGE', executions_key(id), 0, -1)) do
    redis.call('ZREM', started_key(queue), id .. ':' .. execution)
    redis.call('DEL', execution_key(id, execution))
  end
  redis.call('DEL', executions_key(id))
  redis.call('ZREM', started_key(queue), id)
  redis.call('ZREM', finished_key(queue), id)
  redis.call('ZREM', deferred_key(queue), id)
  redis.call('ZREM', scheduled_key(queue), id)
  redis.call('ZREM', canceled_key(queue), id)
  if redis.call('ZREM', failed_key(queue), id) == 1 or status == 'failed' then
    redis.call('LREM', failed_mirror_key(), -1, id)
  end
end

-- Deletes every key that belongs to the job alone.
local function forget(id)
  redis.call('DEL', job_key(id), results_key(id), dependents_key(id), dependencies_key(id))
end
