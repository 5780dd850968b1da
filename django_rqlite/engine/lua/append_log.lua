-- Change:    none: stores lines that a job logged
-- KEYS:      1 the job's hash, 2 the list of its lines
-- ARGV:      1 prefix, 2 how many lines are kept at most, 3.. lines
-- Returns:   1, or 0 if the job is gone
-- Invariant: the lines never outlive their job for long. The end of the job sets when they expire
--            (outcome.lua); if it never comes, they expire by themselves.
--@include wrong_type
local LOG_KEPT = 30 * 86400

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
force_command('RPUSH', KEYS[2], unpack(ARGV, 3))
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[2]), -1)
redis.call('EXPIRE', KEYS[2], LOG_KEPT)
return 1
