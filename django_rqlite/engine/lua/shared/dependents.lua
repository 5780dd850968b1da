-- Jobs that wait for other jobs.
-- Needs: keys.lua, clock.lua, schedule.lua
--
-- The child's set of dependencies holds the parents it still waits for; each parent's set of
-- dependents holds its children. A child whose parent ended badly is canceled, with the parent
-- named in x_canceled_by, and comes back when that parent is requeued.
--@include foreign
--@include schedule
--@include ttl

-- Seconds that a canceled job is kept: a year, as a failed one.
local CANCELED_TTL = 31536000

-- What has become of a parent, as its child sees it: 'met', 'unmet', or the words for a bad end.
local function verdict_of_parent(parent, allow_failure)
  local status = redis.call('HGET', job_key(parent), 'status')
  -- A job that is gone counts as met, as for RQ: its result had its time and has expired.
  if not status or status == 'finished' then return 'met' end
  if status == 'failed' or status == 'stopped' or status == 'canceled' then
    if allow_failure then return 'met' end
    if status == 'failed' then return 'has failed' end
    return 'was ' .. status
  end
  return 'unmet'
end

-- Makes an id that has left its former place wait for its parents.
local function defer(queue, id)
  enter(deferred_key(queue), now, id)
  redis.call('HSET', job_key(id), 'status', 'deferred')
  redis.call('PERSIST', job_key(id))
  redis.call('SADD', queues_key(), queue_key(queue))
end

-- Cancels an id that has left its former place.
local function cancel_for(queue, id, parent, ending)
  local reason = 'Canceled because job ' .. parent .. ', which it depends on, ' .. ending
  enter(canceled_key(queue), now, id)
  redis.call('HSET', job_key(id), 'status', 'canceled', 'ended_at', stamp(now),
    'x_canceled_by', parent, 'x_error', reason, 'exc_info', reason .. '.')
  redis.call('EXPIRE', job_key(id), CANCELED_TTL)
  redis.call('EXPIRE', dependencies_key(id), CANCELED_TTL)
  redis.call('EXPIRE', dependents_key(id), CANCELED_TTL)
end

-- Puts a child whose parents are all met where it would have gone without them.
local function release_child(queue, id)
  redis.call('DEL', dependencies_key(id))
  local fields = redis.call('HMGET', job_key(id), 'x_due', 'enqueue_at_front', 'ttl')
  local due = tonumber(fields[1] or '')
  put_off(queue, id, due and math.max(0, due - now) or 0, fields[2] == '1')
  local ttl = waiting_ttl(fields[3])
  if ttl then redis.call('EXPIRE', job_key(id), ttl) end
end

-- Tells all children of a job how it ended. ending: nil when it ended well, else the words for it,
-- such as 'has failed'. Bad news travel on to the children's children.
local function tell_dependents(id, ending)
  local news = {{id, ending}}
  while #news > 0 do
    local parent, how = unpack(table.remove(news))
    if redis.call('TYPE', dependents_key(parent)).ok == 'set' then
      for _, child in ipairs(redis.call('SMEMBERS', dependents_key(parent))) do
        local job = job_key(child)
        local fields = redis.call('TYPE', job).ok == 'hash'
          and redis.call('HMGET', job, 'status', 'origin', 'allow_dependency_failures')
        if fields and fields[1] == 'deferred' and fields[2] then
          local queue, allow = fields[2], fields[3] == '1'
          if how and not allow then
            leave(deferred_key(queue), child)
            cancel_for(queue, child, parent, how)
            news[#news + 1] = {child, 'was canceled'}
          else
            redis.call('SREM', dependencies_key(child), parent)
            local waits = false
            for _, other in ipairs(redis.call('SMEMBERS', dependencies_key(child))) do
              if verdict_of_parent(other, allow) == 'unmet' then
                waits = true
              else
                redis.call('SREM', dependencies_key(child), other)
              end
            end
            if not waits then
              leave(deferred_key(queue), child)
              release_child(queue, child)
            end
          end
        end
      end
      if not how then redis.call('DEL', dependents_key(parent)) end
    end
  end
end

-- Takes back the bad news, when a job that had ended badly will run again.
local function take_back(id)
  local revived = {id}
  while #revived > 0 do
    local parent = table.remove(revived)
    redis.call('PERSIST', dependents_key(parent))
    make_usable(dependents_key(parent), 'set')
    for _, child in ipairs(redis.call('SMEMBERS', dependents_key(parent))) do
      local job = job_key(child)
      local fields = redis.call('HMGET', job, 'status', 'origin', 'x_canceled_by')
      if fields[1] == 'canceled' and fields[3] == parent and fields[2] then
        leave(canceled_key(fields[2]), child)
        redis.call('HDEL', job, 'ended_at', 'x_canceled_by', 'x_error', 'exc_info')
        redis.call('SADD', dependencies_key(child), parent)
        redis.call('PERSIST', dependencies_key(child))
        defer(fields[2], child)
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

-- Whether waiting for this parent would, in the end, be waiting for the job itself.
local function waits_for(parent, id)
  local todo, seen = {parent}, {}
  while #todo > 0 do
    local one = table.remove(todo)
    if one == id then return true end
    if not seen[one] and redis.call('TYPE', dependencies_key(one)).ok == 'set' then
      seen[one] = true
      for _, further in ipairs(redis.call('SMEMBERS', dependencies_key(one))) do
        todo[#todo + 1] = further
      end
    end
  end
  return false
end
