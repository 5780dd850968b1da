-- Arrow:     deferred -> queued, scheduled or canceled, for jobs that wait for no parent any more, and
--            that foreign data had kept from their place
-- KEYS:      1.. the deferred registries of the queues
-- ARGV:      1 prefix, 2 how many ids to look at in each queue, 3.. the names of the queues
-- Returns:   a list of {queue, id} of those that have a place now
-- Invariant: an id leaves the registry when its place has taken it, and once, however many workers
--            look. Only those are looked at whose parents have ended; see shared/dependents.lua.
--@include keys
--@include clock
--@include dependents
local placed = {}
local function place(queue, registry, id)
  local fields = redis.pcall('HMGET', job_key(id), 'status', 'origin')
  local status = fields[2] == queue and fields[1]
  local there = true
  if status == 'deferred' then
    there = release_child(queue, id)
  elseif status == 'canceled' then
    there = leave_deferred(queue, id, fits('ZADD', canceled_key(queue), now, id))
  else
    redis.call('ZREM', registry, id)
    return
  end
  if there then placed[#placed + 1] = {queue, id} end
end

for i, registry in ipairs(KEYS) do
  local ids = redis.pcall('ZRANGEBYSCORE', registry, '-inf', WITHOUT_PLACE, 'LIMIT', 0, ARGV[2])
  for _, id in ipairs(ids) do place(ARGV[i + 2], registry, id) end
end
return placed
