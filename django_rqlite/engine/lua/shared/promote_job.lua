-- Moves a scheduled job into its queue.
-- Needs: keys.lua, clock.lua
--@include wrong_type
--@include waiting_ttl

-- Returns 'queued'; 'gone' if the id has no job; or 'refused' if the key of the queue has the wrong
-- type; then nothing has changed.
local function promote(queue, registry, id)
  local job, verdict = job_key(id), 'gone'
  if redis.call('TYPE', job).ok == 'hash' then
    local front = redis.call('HGET', job, 'enqueue_at_front') == '1'
    if not try_command(front and 'LPUSH' or 'RPUSH', queue_key(queue), id) then return 'refused' end
    try_command('SADD', queues_key(), queue_key(queue))
    redis.call('HSET', job, 'status', 'queued', 'enqueued_at', timestamp(now),
      'x_enqueued', now_micro, 'origin', queue)
    local ttl = waiting_ttl(redis.call('HGET', job, 'ttl'))
    if ttl then
      redis.call('EXPIRE', job, ttl)
      redis.call('EXPIRE', results_key(id), ttl)  -- of the runs before a retry or a repeat
    end
    verdict = 'queued'
  end
  redis.call('ZREM', registry, id)
  return verdict
end
