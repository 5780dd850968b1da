-- Arrow:     none: keeps lines that a job's run logged
-- KEYS:      1 the job's hash, 2 the list of its lines
-- ARGV:      1 prefix, 2 lines to keep at the most, 3.. lines
-- Returns:   1, or 0 when the job is gone
-- Invariant: no more lines than asked for are kept, and none outlives its job for long: the end of
--            a job sets when they go (outcome.lua), and where that never comes they go by themselves.
--@include wrong_type
local LOG_KEPT = 30 * 86400

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
on_own('RPUSH', KEYS[2], unpack(ARGV, 3))
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[2]), -1)
redis.call('EXPIRE', KEYS[2], LOG_KEPT)
return 1
