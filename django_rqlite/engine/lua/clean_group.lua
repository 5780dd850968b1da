-- Arrow:     none: ids whose jobs have expired leave a group
-- KEYS:      1 the group's set, 2 the set of groups
-- ARGV:      1 prefix, 2 name of the group, 3 cursor: '0', or what the last call returned, 4 about
--            how many ids to look at
-- Returns:   {how many ids left, cursor: '0' when all were looked at}
-- Invariant: only an id without a job leaves. A group without members is none.
--@include keys
--@include group
if not usable(KEYS[1], 'set') or not usable(KEYS[2], 'set') then return {0, '0'} end
local scanned = redis.call('SSCAN', KEYS[1], ARGV[3], 'COUNT', ARGV[4])
return {leave_if_gone(ARGV[2], scanned[2]), scanned[1]}
