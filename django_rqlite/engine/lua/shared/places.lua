-- The places a job's id can be in, and how it leaves them.
-- Needs: keys.lua
--@include foreign
--@include mirror
--@include ties

-- Takes the id out of every place of its queue. Sorted sets are cheap to ask; the list of the
-- queue is searched only when the status does not say that the id is elsewhere.
local function leave_places(id, queue, status)
  local elsewhere = status == 'started' or status == 'finished' or status == 'failed'
  if not elsewhere and usable(queue_key(queue), 'list') then
    redis.call('LREM', queue_key(queue), 0, id)
  end
  local started = usable(started_key(queue), 'zset') and started_key(queue)
  make_usable(executions_key(id), 'zset')
  for _, execution in ipairs(redis.call('ZRANGE', executions_key(id), 0, -1)) do
    if started then redis.call('ZREM', started, id .. ':' .. execution) end
    redis.call('DEL', execution_key(id, execution))
  end
  redis.call('DEL', executions_key(id))
  if started then redis.call('ZREM', started, id) end  -- RQ 0.5's form
  local was_failed = status == 'failed'
  for _, registry in ipairs({finished_key, failed_key, deferred_key, scheduled_key, canceled_key}) do
    local key = registry(queue)
    if usable(key, 'zset') and redis.call('ZREM', key, id) == 1 and registry == failed_key then
      was_failed = true
    end
  end
  if was_failed then unmirror(id) end
end

-- Deletes every key that belongs to the job alone. Who waits for it goes on waiting: a job of the
-- same id takes its place, or the caller tells them first (dependents.lua).
local function forget(id)
  make_usable(job_key(id), 'hash')
  untie(id)
  redis.call('DEL', job_key(id), results_key(id), dependencies_key(id))
end
