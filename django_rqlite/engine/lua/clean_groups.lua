-- Arrow:     none: ids whose jobs have expired leave some groups
-- KEYS:      1 the set of groups
-- ARGV:      1 prefix, 2 how many groups to look at, 3 how many ids of each, at the most
-- Returns:   how many ids left
-- Invariant: only an id without a job leaves. A group without members is none. Both are chosen by
--            chance: who looks again and again has looked at all after a while.
--@include keys
--@include group
local left = 0
if not usable(KEYS[1], 'set') then return left end
for _, group in ipairs(redis.call('SRANDMEMBER', KEYS[1], ARGV[2])) do
  if usable(group_key(group), 'set') then
    left = left + leave_if_gone(group, redis.call('SRANDMEMBER', group_key(group), ARGV[3]))
  end
end
return left
