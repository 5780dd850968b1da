-- Jobs that wait for their time.
-- Needs: keys.lua, clock.lua
--@include wrong_type

-- Tells the workers of a queue when its next scheduled job may be due, so that they need not ask.
local function announce(queue, due)
  redis.call('PUBLISH', scheduled_channel_key(queue), due)
end

-- Puts an id into its queue or among the scheduled ones; its former place is the caller's business.
-- Returns false where something else stands under that key, and nothing has changed.
local function put_off(queue, id, delay, at_front)
  if delay > 0 then
    if not fits('ZADD', scheduled_key(queue), now + delay, id) then return false end
    redis.call('HSET', job_key(id), 'status', 'scheduled')
    announce(queue, now + delay)
  else
    if not fits(at_front and 'LPUSH' or 'RPUSH', queue_key(queue), id) then return false end
    redis.call('HSET', job_key(id), 'status', 'queued', 'enqueued_at', stamp(now),
      'x_enqueued', now_micro)
  end
  fits('SADD', queues_key(), queue_key(queue))
  return true
end
