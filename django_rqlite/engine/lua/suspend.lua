-- Arrow:     none: workers take no more jobs, from all queues or from some
-- KEYS:      1.. the keys that say so (RQ's for all queues, or one for each queue)
-- ARGV:      1 prefix, 2 seconds after which it ends by itself, or '' for never
-- Returns:   how many of the keys were not there before
-- Invariant: key and expiry appear together, and a later call replaces both. Jobs that run go on.
--@include keys
local new = 0
for _, key in ipairs(KEYS) do
  new = new + 1 - redis.call('EXISTS', key)
  if ARGV[2] == '' then
    redis.call('SET', key, '1')
  else
    redis.call('SET', key, '1', 'EX', ARGV[2])
  end
end
redis.call('PUBLISH', suspension_channel_key(), 'suspended')
return new
