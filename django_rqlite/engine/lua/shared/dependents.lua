-- Jobs that wait for other jobs.
-- Needs: keys.lua, clock.lua, schedule.lua
--
-- The child's set of dependencies holds the parents it still waits for; each parent's set of
-- dependents holds its children. A child whose parent ended badly is canceled, with the parent
-- named in x_canceled_by, and comes back when that parent is requeued.
--
-- Where something else stands under the key of the place that a child should enter, the child stays
-- in the deferred registry, with a score by which place_deferred.lua finds it.
--@include wrong_type
--@include schedule
--@include waiting_ttl

-- Seconds that a canceled job is kept: a year, as a failed one.
local CANCELED_TTL = 31536000

-- The score of a child that waits for no parent, but for a place. RQ gives its own jobs -1.
local WITHOUT_PLACE = -2

-- What a parent's status means to its child: 'met', 'unmet', or the words for a bad end.
local function verdict_on(status, allow_failure)
  -- A job that is gone counts as met, as for RQ: its result had its time and has expired. So does a
  -- key that holds no job.
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

-- Makes an id wait for its parents; false where the registry can't take it, and nothing has changed.
local function defer(queue, id)
  if not fits('ZADD', deferred_key(queue), now, id) then return false end
  redis.call('HSET', job_key(id), 'status', 'deferred')
  redis.call('PERSIST', job_key(id))
  fits('SADD', queues_key(), queue_key(queue))
  return true
end

-- A child leaves the deferred registry when another place has taken it.
local function leave_deferred(queue, id, taken)
  if taken then
    fits('ZREM', deferred_key(queue), id)
  else
    fits('ZADD', deferred_key(queue), WITHOUT_PLACE, id)
  end
  return taken
end

-- Cancels a child, or a new job.
local function cancel_for(queue, id, parent, ending)
  local reason = 'Canceled because job ' .. parent .. ', which it depends on, ' .. ending
  local taken = fits('ZADD', canceled_key(queue), now, id)
  redis.call('HSET', job_key(id), 'status', 'canceled', 'ended_at', stamp(now), 'x_span', now_micro,
    'x_canceled_by', parent, 'x_error', reason, 'exc_info', reason .. '.')
  redis.call('EXPIRE', job_key(id), CANCELED_TTL)
  redis.call('EXPIRE', dependencies_key(id), CANCELED_TTL)
  redis.call('EXPIRE', dependents_key(id), CANCELED_TTL)
  leave_deferred(queue, id, taken)
end

-- Puts a child whose parents are all met where it would have gone without them; gives whether that
-- could take it.
local function release_child(queue, id)
  local fields = redis.call('HMGET', job_key(id), 'x_due', 'enqueue_at_front', 'ttl')
  local due = tonumber(fields[1] or '')
  local delay = due and math.max(0, due - now) or 0
  local taken = leave_deferred(queue, id, put_off(queue, id, delay, fields[2] == '1'))
  local ttl = taken and waiting_ttl(fields[3])
  if ttl then redis.call('EXPIRE', job_key(id), ttl) end
  return taken
end

-- Whether a child waits for no parent any more, now that this one has ended. The look ends at the
-- first parent that has not, and each that has leaves the set, so that the ends of any number of
-- parents take as many looks in all.
local function waits_no_more(child, parent, allow_failure)
  local parents = dependencies_key(child)
  if not fits('SREM', parents, parent) then
    -- The set was overwritten; the hash names all parents.
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

-- Children that one script tells of their parents at the most, so that it does not take long.
local may_tell = 250

-- Tells children how their parents ended. news: of each parent {id, ending, cursor}; ending: '' when
-- it ended well, else the words for it, such as 'has failed'; cursor: where in the set of its children
-- to begin, at first '0'. Bad news travel on to the children's children. What a script may not tell any
-- more is noted for promote.lua, which every worker calls. Gives whether all were told.
--@rarely tell_all
local function tell_all(news)
  local queue = nil
  while #news > 0 and may_tell > 0 do
    local parent, ending, cursor = unpack(table.remove(news))
    local told = false
    repeat
      -- An error, where something else stands under a key, has no members and no fields.
      local part = redis.pcall('SSCAN', dependents_key(parent), cursor, 'COUNT', may_tell)
      cursor = part[1] or '0'
      for _, child in ipairs(part[2] or {}) do
        told = true
        may_tell = may_tell - 1
        local fields =
          redis.pcall('HMGET', job_key(child), 'status', 'origin', 'allow_dependency_failures')
        if fields[1] == 'deferred' and fields[2] then
          local allow = fields[3] == '1'
          queue = fields[2]
          if ending ~= '' and not allow then
            cancel_for(queue, child, parent, ending)
            if redis.call('EXISTS', dependents_key(child)) == 1 then
              news[#news + 1] = {child, 'was canceled', '0'}
            end
          elseif waits_no_more(child, parent, allow) then
            release_child(queue, child)
          end
        end
      end
    until cursor == '0' or may_tell <= 0
    if cursor ~= '0' then
      news[#news + 1] = {parent, ending, cursor}
    elseif told and ending == '' or ending == 'was deleted' then
      redis.call('DEL', dependents_key(parent))
    end
  end
  for _, rest in ipairs(news) do
    on_own('HSET', untold_key(), rest[1], rest[3] .. ' ' .. rest[2])
  end
  if #news > 0 and queue then announce(queue, now) end
  return #news == 0
end

-- As tell_all, for all children of one job. Where some are still to be told of an earlier end, as when
-- a finished job is deleted at once, that goes on instead.
local function tell_dependents(id, ending)
  if ending ~= '' and redis.pcall('HEXISTS', untold_key(), id) == 1 then return false end
  if redis.call('EXISTS', dependents_key(id)) == 0 then return true end
  return tell_all({{id, ending, '0'}})
end

-- Tells some of those children that earlier scripts could not. Gives whether that may not be all.
local function tell_noted()
  while may_tell > 0 do
    may_tell = may_tell - 1
    local note = on_own('HRANDFIELD', untold_key(), 1, 'WITHVALUES')
    if not note[1] then return false end
    local cursor, ending = string.match(note[2], '^(%d+) (.*)$')
    if not cursor or tell_all({{note[1], ending, cursor}}) then
      redis.call('HDEL', untold_key(), note[1])
      -- The set of children had to outlive its job until now. -2, of a job that is gone, deletes it.
      local ttl = redis.call('TTL', job_key(note[1]))
      if ttl ~= -1 then redis.call('EXPIRE', dependents_key(note[1]), ttl) end
    end
  end
  return redis.call('EXISTS', untold_key()) == 1
end

-- Takes back the bad news, when a job that had ended badly will run again.
local function take_back(id)
  local revived = {id}
  while #revived > 0 do
    local parent = table.remove(revived)
    redis.call('PERSIST', dependents_key(parent))
    on_own('HDEL', untold_key(), parent)
    for _, child in ipairs(on_own('SMEMBERS', dependents_key(parent))) do
      local job = job_key(child)
      local fields = redis.pcall('HMGET', job, 'status', 'origin', 'x_canceled_by')
      if fields[1] == 'canceled' and fields[3] == parent and fields[2]
          and defer(fields[2], child) then
        leave(canceled_key(fields[2]), child)
        redis.call('HDEL', job, 'ended_at', 'x_canceled_by', 'x_error', 'exc_info')
        on_own('SADD', dependencies_key(child), parent)
        redis.call('PERSIST', dependencies_key(child))
        revived[#revived + 1] = child
      end
    end
  end
end

-- A job that is no more waits for nobody.
local function leave_parents(id)
  if redis.call('TYPE', dependencies_key(id)).ok ~= 'set' then return end
  for _, parent in ipairs(redis.call('SMEMBERS', dependencies_key(id))) do
    if usable(dependents_key(parent), 'set') then redis.call('SREM', dependents_key(parent), id) end
  end
end

-- Whether waiting for this parent would, in the end, be waiting for the job itself. seen: jobs that
-- are known not to wait for it; those that were looked at join them.
local function waits_for(parent, id, seen)
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
