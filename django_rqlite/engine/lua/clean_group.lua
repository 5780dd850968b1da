-- Change:    none: ids whose jobs have expired leave a group
-- KEYS:      1 the group's set, 2 the set of groups
-- ARGV:      1 prefix, 2 name of the group, 3 cursor: '0', or what the last call returned, 4 about
--            how many ids are checked
-- Returns:   {how many ids left, cursor}; the cursor is '0' after the last ids
-- Invariant: only ids without a job leave. A group without members does not exist.
--@include keys
--@include group
if not usable(KEYS[1], 'set') or not usable(KEYS[2], 'set') then return {0, '0'} end
local scanned = redis.call('SSCAN', KEYS[1], ARGV[3], 'COUNT', ARGV[4])
return {remove_gone_jobs(ARGV[2], scanned[2]), scanned[1]}
