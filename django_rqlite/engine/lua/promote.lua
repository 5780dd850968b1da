-- Arrow:     scheduled -> queued, for the jobs of some queues that are due
-- KEYS:      1.. the scheduled registries of the queues
-- ARGV:      1 prefix, 2 how many ids to move at the most, 3.. the names of the queues
-- Returns:   {how many were moved, unix seconds at which the next one is due, or ''}
-- Invariant: an id moves in one step and once, however many workers promote. An id without a hash
--            leaves the registry.
--@include keys
--@include clock
local most = tonumber(ARGV[2])
local moved, soonest = 0, nil

local function move(queue, registry, id)
  local job = job_key(id)
  if redis.call('TYPE', job).ok == 'hash' then
    local front = redis.call('HGET', job, 'enqueue_at_front') == '1'
    redis.call(front and 'LPUSH' or 'RPUSH', queue_key(queue), id)
    redis.call('SADD', queues_key(), queue_key(queue))
    redis.call('HSET', job, 'status', 'queued', 'enqueued_at', stamp(now), 'origin', queue)
    local ttl = tonumber(redis.call('HGET', job, 'ttl') or '')
    if ttl and ttl > 0 then
      redis.call('EXPIRE', job, ttl)
      redis.call('EXPIRE', results_key(id), ttl)  -- of the runs before a retry or a repeat
    end
    moved = moved + 1
  end
  redis.call('ZREM', registry, id)
end

local function first_of(registry)
  return tonumber(redis.call('ZRANGE', registry, 0, 0, 'WITHSCORES')[2] or '')
end

for i, registry in ipairs(KEYS) do
  if redis.call('TYPE', registry).ok == 'zset' then
    local first = first_of(registry)
    if first and first <= now then
      local due = redis.call('ZRANGEBYSCORE', registry, '-inf', now, 'LIMIT', 0, most)
      for _, id in ipairs(due) do move(ARGV[i + 2], registry, id) end
      most = most - #due
      first = first_of(registry)
    end
    if first and (not soonest or first < soonest) then soonest = first end
  end
end
return {moved, soonest and tostring(soonest) or ''}
