-- Change:    none: removes an empty queue from the set of queues
-- KEYS:      1 the queue's list, 2 the set of queues
-- ARGV:      1 prefix
-- Returns:   how many ids wait in the queue. If there are any, nothing was changed.
-- Invariant: no job waits in a queue that is not in the set.
local waiting = redis.call('LLEN', KEYS[1])
if waiting == 0 then redis.call('SREM', KEYS[2], KEYS[1]) end
return waiting
