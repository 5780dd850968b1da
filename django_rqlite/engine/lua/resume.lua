-- Arrow:     none: workers take jobs again, from all queues or from some
-- KEYS:      1.. the keys that kept them from it
-- ARGV:      1 prefix
-- Returns:   how many of the keys were there
-- Invariant: to end a rest and to tell the workers is one step, so none sleeps on.
--@include keys
local ended = redis.call('DEL', unpack(KEYS))
redis.call('PUBLISH', suspension_channel_key(), 'resumed')
return ended
