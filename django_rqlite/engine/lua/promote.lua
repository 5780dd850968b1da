-- Arrow:     scheduled -> queued, for the jobs of some queues that are due
-- KEYS:      1.. the scheduled registries of the queues
-- ARGV:      1 prefix, 2 how many ids to move at the most, 3.. the names of the queues
-- Returns:   {how many were moved, unix seconds at which the next one is due, or ''}
-- Invariant: an id moves in one step and once, however many workers promote. An id without a hash
--            leaves the registry.
--@include keys
--@include clock
--@include promote
local most = tonumber(ARGV[2])
local moved, soonest = 0, nil

local function first_of(registry)
  return tonumber(redis.call('ZRANGE', registry, 0, 0, 'WITHSCORES')[2] or '')
end

for i, registry in ipairs(KEYS) do
  if redis.call('TYPE', registry).ok == 'zset' then
    local first = first_of(registry)
    if first and first <= now then
      local due = redis.call('ZRANGEBYSCORE', registry, '-inf', now, 'LIMIT', 0, most)
      for _, id in ipairs(due) do
        if promote(ARGV[i + 2], registry, id) then moved = moved + 1 end
      end
      most = most - #due
      first = first_of(registry)
    end
    if first and (not soonest or first < soonest) then soonest = first end
  end
end
return {moved, soonest and tostring(soonest) or ''}
