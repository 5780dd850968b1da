-- Pushes a new job into its queue.
-- Needs: keys.lua, clock.lua, places.lua
--@include wrong_type

-- The id must not be in another place. ttl: seconds for which the job may wait, or ''. first: where
-- in ARGV its fields and values begin. Returns the time in unix microseconds.
local function push_new(id, queue, at_front, ttl, first)
  -- The push comes first: if the queue's key has the wrong type, nothing has changed.
  redis.call(at_front == '1' and 'LPUSH' or 'RPUSH', queue_key(queue), id)
  try_command('SADD', queues_key(), queue_key(queue))
  delete_job_keys(id)
  local at = timestamp(now)
  redis.call('HSET', job_key(id), 'origin', queue, 'status', 'queued', 'created_at', at,
    'enqueued_at', at, 'x_created', now_micro, unpack(ARGV, first))
  add_unique_and_group(id, first)
  if ttl ~= '' then redis.call('EXPIRE', job_key(id), ttl) end
  return now_micro
end
