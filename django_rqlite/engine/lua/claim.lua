-- Arrow:     queued -> started
-- KEYS:      1.. the lists of the queues, in the order of preference
-- ARGV:      1 prefix, 2 worker, 3 execution (chosen by the caller), 4 lease in seconds,
--            5.. the names of the queues
-- Returns:   {id, queue, {field, value, ...}, {note, ...}, more, pauses}; id is nil when nothing
--            was claimed; more is 1 when there may be something yet (too much had to be dropped);
--            pauses tells what must not be taken from, as shared/suspension.lua says.
-- Invariant: the id leaves its queue and enters the started registry at once. An id that can't
--            be run (no hash, ended, running) is dropped and noted. Asking again with the same
--            execution answers the same job. While the workers are suspended nothing leaves its
--            queue, and from a paused queue nothing ever does.
--@include keys
--@include clock
--@include execution
--@include claim_next
local queues = {}
for i = 5, #ARGV do queues[#queues + 1] = ARGV[i] end
return claim_next(ARGV[2], ARGV[3], tonumber(ARGV[4]), queues)
