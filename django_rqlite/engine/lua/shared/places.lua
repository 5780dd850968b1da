-- Removes a job's id from the places in which it can be.
-- Needs: keys.lua, clock.lua
--@include wrong_type
--@include list_ends
--@include failed_mirror
--@include unique_and_group

-- The registry in which an id is, instead of its queue's list, by the status of its job.
local REGISTRY_OF = {
  deferred = deferred_key, scheduled = scheduled_key, canceled = canceled_key, stopped = failed_key,
}

-- Whether the id of a job with this status may be in its queue's list.
local function may_be_in_list(id, queue, status)
  if status == 'started' or status == 'finished' or status == 'failed' then return false end
  local registry = REGISTRY_OF[status]
  if registry and score_in(registry(queue), id) then return false end
  return usable(queue_key(queue), 'list')
end

-- Removes the id from every registry of its queue, and deletes its executions.
local function remove_from_registries(id, queue, status)
  local started = usable(started_key(queue), 'zset') and started_key(queue)
  delete_wrong_type(executions_key(id), 'zset')
  for _, execution in ipairs(redis.call('ZRANGE', executions_key(id), 0, -1)) do
    if started then redis.call('ZREM', started, id .. ':' .. execution) end
    redis.call('DEL', execution_key(id, execution))
  end
  redis.call('DEL', executions_key(id))
  -- The form of RQ 0.5, and the one of an id whose next place could not take it.
  if started then redis.call('ZREM', started, id, id .. ':') end
  local was_failed = status == 'failed'
  local registries = {finished_key, failed_key, deferred_key, scheduled_key, canceled_key}
  for _, registry in ipairs(registries) do
    if remove_from(registry(queue), id) and registry == failed_key then was_failed = true end
  end
  if was_failed then remove_from_mirror(id, not status or is_mirrored(id)) end
end

-- Removes the id from every place of its queue. The list is searched to the end only if there is a
-- job that waits. Without a job, the id may stay in the middle of a long list when a new job uses
-- it again; a claim drops the second of two entries.
local function remove_from_places(id, queue, status)
  if may_be_in_list(id, queue, status) and not remove_near_an_end(queue_key(queue), id)
      and status then
    redis.call('LREM', queue_key(queue), 0, id)
  end
  remove_from_registries(id, queue, status)
end

-- Deletes every key that belongs to the job alone. Its dependents keep waiting: either a new job
-- with the same id takes its place, or the caller notifies them (dependents.lua).
local function delete_job_keys(id)
  delete_wrong_type(job_key(id), 'hash')
  remove_unique_and_group(id)
  redis.call('DEL', job_key(id), results_key(id), dependencies_key(id), job_log_key(id))
end
