-- A new job enters its queue: the end of enqueue.lua, and of cron_tick.lua.
-- Needs: keys.lua, clock.lua, places.lua
--@include wrong_type

-- The caller has made sure that the id is in no other place.
-- ttl: seconds for which the job may wait, or ''. first: where in ARGV its fields and values begin.
-- Returns when, in unix microseconds.
local function push_new(id, queue, at_front, ttl, first)
  -- The push comes first: should foreign data stand under the queue's key, nothing has changed yet.
  redis.call(at_front == '1' and 'LPUSH' or 'RPUSH', queue_key(queue), id)
  fits('SADD', queues_key(), queue_key(queue))
  forget(id)
  local at = stamp(now)
  redis.call('HSET', job_key(id), 'origin', queue, 'status', 'queued', 'created_at', at,
    'enqueued_at', at, 'x_created', now_micro, unpack(ARGV, first))
  tie(id, first)
  if ttl ~= '' then redis.call('EXPIRE', job_key(id), ttl) end
  return now_micro
end
