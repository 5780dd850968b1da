-- Arrow:     none: takes an empty queue out of the set of queues
-- KEYS:      1 the queue's list, 2 the set of queues
-- ARGV:      1 prefix
-- Returns:   ids still waiting: 0 when the queue was taken out, else nothing was changed
-- Invariant: no waiting job loses its queue.
local waiting = redis.call('LLEN', KEYS[1])
if waiting == 0 then redis.call('SREM', KEYS[2], KEYS[1]) end
return waiting
