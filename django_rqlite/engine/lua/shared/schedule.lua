-- Jobs that wait for their time.
-- Needs: keys.lua, clock.lua

-- Tells the workers of a queue when its next scheduled job may be due, so that they need not ask.
local function announce(queue, due)
  redis.call('PUBLISH', scheduled_channel_key(queue), due)
end

-- Puts an id, whose job has left its former place, into its queue or among the scheduled ones.
local function put_off(queue, id, delay, at_front)
  if delay > 0 then
    redis.call('ZADD', scheduled_key(queue), now + delay, id)
    redis.call('HSET', job_key(id), 'status', 'scheduled')
    announce(queue, now + delay)
  else
    redis.call(at_front and 'LPUSH' or 'RPUSH', queue_key(queue), id)
    redis.call('HSET', job_key(id), 'status', 'queued', 'enqueued_at', stamp(now),
      'x_enqueued', now_micro)
  end
  redis.call('SADD', queues_key(), queue_key(queue))
end
