-- Handles jobs that wait for other jobs.
-- Needs: keys.lua, clock.lua, schedule.lua
--
-- A job that waits is called a child here, and the jobs that it waits for are its parents. The
-- child's set of dependencies has the parents for which it still waits; each parent's set of
-- dependents has its children. A child whose parent ended badly is canceled, with the parent in
-- x_canceled_by, and waits again if that parent is requeued.
--
-- If the key of a child's next place has the wrong type, the child stays in the deferred registry,
-- with a score by which promote_deferred.lua finds it.
--@include wrong_type
--@include schedule
--@include waiting_ttl

-- Seconds for which a canceled job is kept: a year, like a failed one.
local CANCELED_TTL = 31536000

-- The score of a child that no longer waits for a parent, but for its next place. The score of RQ's
-- own jobs is -1.
local WITHOUT_PLACE = -2

-- What a parent's status means to its child: 'met', 'unmet', or how it ended badly, in words.
local function verdict_on(status, allow_failure)
  -- A parent that is gone counts as met, as in RQ: its result has expired. So does a key that is
  -- not a job.
  if type(status) ~= 'string' or status == 'finished' then return 'met' end
  if status == 'failed' or status == 'stopped' or status == 'canceled' then
    if allow_failure then return 'met' end
    if status == 'failed' then return 'has failed' end
    return 'was ' .. status
  end
  return 'unmet'
end

local function verdict_of_parent(parent, allow_failure)
  return verdict_on(redis.pcall('HGET', job_key(parent), 'status'), allow_failure)
end

-- Makes a job wait for its parents. Returns false if the registry has the wrong type; then nothing
-- has changed.
local function defer(queue, id)
  if not try_command('ZADD', deferred_key(queue), now, id) then return false end
  redis.call('HSET', job_key(id), 'status', 'deferred')
  redis.call('PERSIST', job_key(id))
  try_command('SADD', queues_key(), queue_key(queue))
  return true
end

-- Removes a child from the deferred registry, if it has entered its next place.
local function remove_from_deferred(queue, id, taken)
  if taken then
    try_command('ZREM', deferred_key(queue), id)
  else
    try_command('ZADD', deferred_key(queue), WITHOUT_PLACE, id)
  end
  return taken
end

-- Cancels a child, or a new job, because a parent ended badly. ending: how, in words.
local function cancel_dependent(queue, id, parent, ending)
  local reason = 'Canceled because job ' .. parent .. ', which it depends on, ' .. ending
  local taken = try_command('ZADD', canceled_key(queue), now, id)
  redis.call('HSET', job_key(id), 'status', 'canceled', 'ended_at', timestamp(now),
    'x_span', now_micro, 'x_canceled_by', parent, 'x_error', reason, 'exc_info', reason .. '.')
  redis.call('EXPIRE', job_key(id), CANCELED_TTL)
  redis.call('EXPIRE', dependencies_key(id), CANCELED_TTL)
  redis.call('EXPIRE', dependents_key(id), CANCELED_TTL)
  remove_from_deferred(queue, id, taken)
end

-- Moves a child whose parents are all met into its queue, or into the scheduled registry. Returns
-- whether that place could take it.
local function release_dependent(queue, id)
  local fields = redis.call('HMGET', job_key(id), 'x_due', 'enqueue_at_front', 'ttl')
  local due = tonumber(fields[1] or '')
  local delay = due and math.max(0, due - now) or 0
  local taken = enqueue_or_schedule(queue, id, delay, fields[2] == '1')
  remove_from_deferred(queue, id, taken)
  local ttl = taken and waiting_ttl(fields[3])
  if ttl then redis.call('EXPIRE', job_key(id), ttl) end
  return taken
end

-- Whether a child no longer waits for any parent, now that this one has ended. The check stops at
-- the first parent that has not ended; ended parents leave the set. So each parent is checked only
-- about once, however many there are.
local function is_ready(child, parent, allow_failure)
  local parents = dependencies_key(child)
  if not try_command('SREM', parents, parent) then
    -- The set was overwritten with another type. The hash names all parents.
    redis.call('DEL', parents)
    local read, named =
      pcall(cjson.decode, redis.call('HGET', job_key(child), 'dependency_ids') or '[]')
    for _, other in ipairs(read and type(named) == 'table' and named or {}) do
      if other ~= parent then redis.call('SADD', parents, tostring(other)) end
    end
  end
  local other = redis.call('SRANDMEMBER', parents)
  while other do
    if verdict_of_parent(other, allow_failure) == 'unmet' then return false end
    redis.call('SREM', parents, other)
    other = redis.call('SRANDMEMBER', parents)
  end
  return true
end

-- The maximum number of children that one script notifies, so that it does not take long.
local notifications_left = 250

-- Releases or cancels the children of jobs that have ended. endings: {id, ending, cursor} for each
-- parent; ending: '' if it finished, else how it ended in words, such as 'has failed'; cursor:
-- where in the set of its children to begin, at first '0'. The children of a canceled child are
-- canceled, too. Children beyond the limit are noted for promote.lua, which every worker calls.
-- Returns whether all were notified.
--@rarely notify_all
local function notify_all(endings)
  local queue = nil
  while #endings > 0 and notifications_left > 0 do
    local parent, ending, cursor = unpack(table.remove(endings))
    local any_child = false
    repeat
      -- A key of the wrong type gives an error, which has no members and no fields.
      local part = redis.pcall('SSCAN', dependents_key(parent), cursor, 'COUNT', notifications_left)
      cursor = part[1] or '0'
      for _, child in ipairs(part[2] or {}) do
        any_child = true
        notifications_left = notifications_left - 1
        local fields =
          redis.pcall('HMGET', job_key(child), 'status', 'origin', 'allow_dependency_failures')
        if fields[1] == 'deferred' and fields[2] then
          local allow = fields[3] == '1'
          queue = fields[2]
          if ending ~= '' and not allow then
            cancel_dependent(queue, child, parent, ending)
            if redis.call('EXISTS', dependents_key(child)) == 1 then
              endings[#endings + 1] = {child, 'was canceled', '0'}
            end
          elseif is_ready(child, parent, allow) then
            release_dependent(queue, child)
          end
        end
      end
    until cursor == '0' or notifications_left <= 0
    if cursor ~= '0' then
      endings[#endings + 1] = {parent, ending, cursor}
    elseif any_child and ending == '' or ending == 'was deleted' then
      redis.call('DEL', dependents_key(parent))
    end
  end
  for _, rest in ipairs(endings) do
    force_command('HSET', unnotified_key(), rest[1], rest[3] .. ' ' .. rest[2])
  end
  if #endings > 0 and queue then announce(queue, now) end
  return #endings == 0
end

-- Releases or cancels all children of one job. If an earlier end of the job is still noted, for
-- example if a finished job is deleted at once, that one counts instead.
local function notify_dependents(id, ending)
  if ending ~= '' and redis.pcall('HEXISTS', unnotified_key(), id) == 1 then return false end
  if redis.call('EXISTS', dependents_key(id)) == 0 then return true end
  return notify_all({{id, ending, '0'}})
end

-- Notifies some of the children that earlier scripts could not. Returns whether there may be more.
local function notify_noted()
  while notifications_left > 0 do
    notifications_left = notifications_left - 1
    local note = force_command('HRANDFIELD', unnotified_key(), 1, 'WITHVALUES')
    if not note[1] then return false end
    local cursor, ending = string.match(note[2], '^(%d+) (.*)$')
    if not cursor or notify_all({{note[1], ending, cursor}}) then
      redis.call('HDEL', unnotified_key(), note[1])
      -- The set of children had to outlive its job until now. If the job is gone, the ttl of -2
      -- deletes the set.
      local ttl = redis.call('TTL', job_key(note[1]))
      if ttl ~= -1 then redis.call('EXPIRE', dependents_key(note[1]), ttl) end
    end
  end
  return redis.call('EXISTS', unnotified_key()) == 1
end

-- Makes canceled children of a job that will run again wait for it again, and their children for
-- them.
local function revive_dependents(id)
  local revived = {id}
  while #revived > 0 do
    local parent = table.remove(revived)
    redis.call('PERSIST', dependents_key(parent))
    force_command('HDEL', unnotified_key(), parent)
    for _, child in ipairs(force_command('SMEMBERS', dependents_key(parent))) do
      local job = job_key(child)
      local fields = redis.pcall('HMGET', job, 'status', 'origin', 'x_canceled_by')
      if fields[1] == 'canceled' and fields[3] == parent and fields[2]
          and defer(fields[2], child) then
        remove_from(canceled_key(fields[2]), child)
        redis.call('HDEL', job, 'ended_at', 'x_canceled_by', 'x_error', 'exc_info')
        force_command('SADD', dependencies_key(child), parent)
        redis.call('PERSIST', dependencies_key(child))
        revived[#revived + 1] = child
      end
    end
  end
end

-- Removes a job from its parents' sets of dependents.
local function remove_from_parents(id)
  if redis.call('TYPE', dependencies_key(id)).ok ~= 'set' then return end
  for _, parent in ipairs(redis.call('SMEMBERS', dependencies_key(id))) do
    if usable(dependents_key(parent), 'set') then redis.call('SREM', dependents_key(parent), id) end
  end
end

-- Whether this parent waits for the job itself, directly or through others. seen: jobs that are
-- known not to wait for it, to which this adds.
local function depends_on(parent, id, seen)
  local todo = {parent}
  while #todo > 0 do
    local one = table.remove(todo)
    if one == id then return true end
    if not seen[one] then
      seen[one] = true
      for _, further in ipairs(redis.pcall('SMEMBERS', dependencies_key(one))) do
        todo[#todo + 1] = further
      end
    end
  end
  return false
end
