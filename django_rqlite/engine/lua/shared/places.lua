-- The places a job's id can be in, and how it leaves them.
-- Needs: keys.lua, clock.lua
--@include wrong_type
--@include list_ends
--@include failed_mirror
--@include unique_and_group

-- Where an id is, other than in its queue's list, if its job says so and the registry has it.
local STANDS_IN = {
  deferred = deferred_key, scheduled = scheduled_key, canceled = canceled_key, stopped = failed_key,
}

-- Whether the id of a job with this status may stand in its queue's list.
local function may_wait(id, queue, status)
  if status == 'started' or status == 'finished' or status == 'failed' then return false end
  local registry = STANDS_IN[status]
  if registry and stands_in(registry(queue), id) then return false end
  return usable(queue_key(queue), 'list')
end

-- Takes the id out of every sorted set of its queue, and its executions away.
local function leave_registries(id, queue, status)
  local started = usable(started_key(queue), 'zset') and started_key(queue)
  make_usable(executions_key(id), 'zset')
  for _, execution in ipairs(redis.call('ZRANGE', executions_key(id), 0, -1)) do
    if started then redis.call('ZREM', started, id .. ':' .. execution) end
    redis.call('DEL', execution_key(id, execution))
  end
  redis.call('DEL', executions_key(id))
  -- RQ 0.5's form, and what stays there while it has no other place.
  if started then redis.call('ZREM', started, id, id .. ':') end
  local was_failed = status == 'failed'
  for _, registry in ipairs({finished_key, failed_key, deferred_key, scheduled_key, canceled_key}) do
    if leave(registry(queue), id) and registry == failed_key then was_failed = true end
  end
  if was_failed then unmirror(id, not status or is_mirrored(id)) end
end

-- Takes the id out of every place of its queue. The list is searched to its end only for an id
-- whose job says that it waits: where there is no job, a new one may take its id over although the
-- id stands in the middle of a long list; a claim drops the second of two entries.
local function leave_places(id, queue, status)
  if may_wait(id, queue, status) and not leave_near_an_end(queue_key(queue), id) and status then
    redis.call('LREM', queue_key(queue), 0, id)
  end
  leave_registries(id, queue, status)
end

-- Deletes every key that belongs to the job alone. Who waits for it goes on waiting: a job of the
-- same id takes its place, or the caller tells them first (dependents.lua).
local function forget(id)
  make_usable(job_key(id), 'hash')
  untie(id)
  redis.call('DEL', job_key(id), results_key(id), dependencies_key(id), job_log_key(id))
end
