-- Change:    queued -> started
-- KEYS:      1.. the lists of the queues, in the order of preference
-- ARGV:      1 prefix, 2 worker, 3 execution (chosen by the caller), 4 lease in seconds,
--            5.. the names of the queues
-- Returns:   {id, queue, {field, value, ...}, {note, ...}, more, pauses}. id is nil if nothing was
--            claimed. more is 1 if so many ids were dropped that the rest was not checked.
--            pauses lists the pauses in force (shared/suspension.lua).
-- Invariant: the id leaves its queue and enters the started registry in one step. An id that cannot
--            be run (no hash, ended, running) is dropped with a note. A second call with the same
--            execution returns the same job. While the workers are suspended, no job leaves its
--            queue; no job ever leaves a paused queue.
--@include keys
--@include clock
--@include execution
--@include claim_next
local queues = {}
for i = 5, #ARGV do queues[#queues + 1] = ARGV[i] end
return claim_next(ARGV[2], ARGV[3], tonumber(ARGV[4]), queues)
