-- Arrow:     none: stores fields of a job that say nothing of where it is
-- KEYS:      1 the job's hash
-- ARGV:      1 prefix, 2.. field, value, ...
-- Returns:   1, or 0 when the job is gone
-- Invariant: a deleted job does not come back as a hash with nothing but these fields.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if #ARGV > 1 then redis.call('HSET', KEYS[1], unpack(ARGV, 2)) end
return 1
