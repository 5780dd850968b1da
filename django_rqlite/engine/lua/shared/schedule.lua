-- Puts jobs into their queues, or into the scheduled registry.
-- Needs: keys.lua, clock.lua
--@include wrong_type

-- Publishes to the workers of a queue when its next scheduled job may be due, so that they need not
-- poll.
local function announce(queue, due)
  redis.call('PUBLISH', scheduled_channel_key(queue), due)
end

-- Puts an id into its queue, or with a delay into the scheduled registry. The caller removes it
-- from its old place. Returns false if the key of the new place has the wrong type; then nothing
-- has changed.
local function enqueue_or_schedule(queue, id, delay, at_front)
  if delay > 0 then
    if not try_command('ZADD', scheduled_key(queue), now + delay, id) then return false end
    redis.call('HSET', job_key(id), 'status', 'scheduled')
    announce(queue, now + delay)
  else
    if not try_command(at_front and 'LPUSH' or 'RPUSH', queue_key(queue), id) then return false end
    redis.call('HSET', job_key(id), 'status', 'queued', 'enqueued_at', timestamp(now),
      'x_enqueued', now_micro)
  end
  try_command('SADD', queues_key(), queue_key(queue))
  return true
end
