-- A scheduled job enters its queue; needs: keys.lua, clock.lua
--@include ttl

-- Moves an id out of the scheduled registry; gives whether it has a job, which waits then.
local function promote(queue, registry, id)
  local job = job_key(id)
  local there = redis.call('TYPE', job).ok == 'hash'
  if there then
    local front = redis.call('HGET', job, 'enqueue_at_front') == '1'
    redis.call(front and 'LPUSH' or 'RPUSH', queue_key(queue), id)
    redis.call('SADD', queues_key(), queue_key(queue))
    redis.call('HSET', job, 'status', 'queued', 'enqueued_at', stamp(now), 'origin', queue)
    local ttl = waiting_ttl(redis.call('HGET', job, 'ttl'))
    if ttl then
      redis.call('EXPIRE', job, ttl)
      redis.call('EXPIRE', results_key(id), ttl)  -- of the runs before a retry or a repeat
    end
  end
  redis.call('ZREM', registry, id)
  return there
end
