-- Change:    deferred -> queued, scheduled or canceled, for jobs that no longer wait for a parent,
--            but stayed because the key of their next place had the wrong type
-- KEYS:      1.. the deferred registries of the queues
-- ARGV:      1 prefix, 2 how many ids are checked in each queue, 3.. the names of the queues
-- Returns:   a list of {queue, id} of the jobs that were moved
-- Invariant: an id leaves the registry when it has entered its next place, and only once, however
--            many workers call. dependents.lua marks these ids with a special score.
--@include keys
--@include clock
--@include dependents
local placed = {}
local function place(queue, registry, id)
  local fields = redis.pcall('HMGET', job_key(id), 'status', 'origin')
  local status = fields[2] == queue and fields[1]
  local there = true
  if status == 'deferred' then
    there = release_dependent(queue, id)
  elseif status == 'canceled' then
    there = remove_from_deferred(queue, id, try_command('ZADD', canceled_key(queue), now, id))
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
