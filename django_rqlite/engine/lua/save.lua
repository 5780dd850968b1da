-- Change:    none: stores fields of a job that are not part of its state
-- KEYS:      1 the job's hash
-- ARGV:      1 prefix, 2.. field, value, ...
-- Returns:   1, or 0 if the job is gone
-- Invariant: a deleted job does not come back as a hash with these fields alone.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if #ARGV > 1 then redis.call('HSET', KEYS[1], unpack(ARGV, 2)) end
return 1
