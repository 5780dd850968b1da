-- Change:    scheduled -> queued, for the jobs of some queues that are due
-- KEYS:      1.. the scheduled registries of the queues
-- ARGV:      1 prefix, 2 how many ids are moved at most, 3.. the names of the queues
-- Returns:   {how many were moved, the server's time, unix seconds at which the next job is due, or
--            ''}
-- It also continues with dependents of ended jobs that were too many for one script, some with each
-- call. As long as some are left, it returns that the next job is due now.
-- Invariant: an id moves once, however many workers promote. An id without a hash leaves the
--            registry. If the key of a queue has the wrong type, its jobs stay scheduled and those
--            of the other queues move; such jobs do not count for when the next one is due,
--            because they could not be moved.
--@include keys
--@include clock
--@include promote_job
--@include dependents
local most = tonumber(ARGV[2])
local moved, soonest = 0, nil

-- Moves the jobs that are due. Returns how many ids it handled, and whether the queue could take
-- them.
local function promote_due(queue, registry)
  local due = redis.call('ZRANGEBYSCORE', registry, '-inf', now_precise, 'LIMIT', 0, most)
  for i, id in ipairs(due) do
    local verdict = promote(queue, registry, id)
    if verdict == 'refused' then return i - 1, false end
    if verdict == 'queued' then moved = moved + 1 end
  end
  return #due, true
end

local function first_of(registry)
  return tonumber(redis.call('ZRANGE', registry, 0, 0, 'WITHSCORES')[2] or '')
end

for i, registry in ipairs(KEYS) do
  if redis.call('TYPE', registry).ok == 'zset' then
    local first = first_of(registry)
    if first and first <= tonumber(now_precise) then
      local dealt, taken = promote_due(ARGV[i + 2], registry)
      most = most - dealt
      first = taken and first_of(registry)
    end
    if first and (not soonest or first < soonest) then soonest = first end
  end
end
if notify_noted() then soonest = tonumber(now_precise) end
return {moved, now_precise, soonest and string.format('%.6f', soonest) or ''}
