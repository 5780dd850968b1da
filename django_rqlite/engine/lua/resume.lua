-- Change:    none: lets workers claim jobs again, of all queues or of some
-- KEYS:      1.. the keys of the suspension or of the pauses
-- ARGV:      1 prefix
-- Returns:   how many of the keys existed
-- Invariant: the keys go and the workers are notified in one step, so that no worker keeps
--            waiting.
--@include keys
local ended = redis.call('DEL', unpack(KEYS))
redis.call('PUBLISH', suspension_channel_key(), 'resumed')
return ended
