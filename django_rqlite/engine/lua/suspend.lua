-- Change:    none: keeps workers from claiming jobs, of all queues or of some
-- KEYS:      1.. the keys of the suspension (RQ's own) or of the pauses (one for each queue)
-- ARGV:      1 prefix, 2 seconds after which it ends by itself, or '' for never
-- Returns:   how many of the keys did not exist before
-- Invariant: key and expiry appear in one step, and a later call replaces both. Running jobs
--            continue.
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
