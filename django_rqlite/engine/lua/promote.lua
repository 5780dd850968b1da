-- Arrow:     scheduled -> queued, for the jobs of some queues that are due
-- KEYS:      1.. the scheduled registries of the queues
-- ARGV:      1 prefix, 2 how many ids to move at the most, 3.. the names of the queues
-- Returns:   {how many were moved, the server's time, unix seconds at which the next one is due, or
--            ''}
-- Beside that, children whose parents had too many to be told in one script are told, some with each
-- call; until all are, the answer is that the next job is due now.
-- Invariant: an id moves in one step and once, however many workers promote. An id without a hash
--            leaves the registry. Where something else stands under the key of a queue, its jobs
--            stay scheduled and those of the other queues are moved; nothing is told of when such a
--            job is due, since nobody can move it then.
--@include keys
--@include clock
--@include promote_job
--@include dependents
local most = tonumber(ARGV[2])
local moved, soonest = 0, nil

-- Moves what is due; returns how many ids were dealt with, and whether the queue could take them.
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
if tell_noted() then soonest = tonumber(now_precise) end
return {moved, now_precise, soonest and string.format('%.6f', soonest) or ''}
