-- Arrow:     none: stores a job's meta
-- KEYS:      1 the job's hash
-- ARGV:      1 prefix, 2 meta serialized, 3 its signature
-- Returns:   1, or 0 when the job is gone
-- Invariant: a deleted job does not come back as a hash with nothing but meta.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'meta', ARGV[2], 'x_sig_meta', ARGV[3])
return 1
