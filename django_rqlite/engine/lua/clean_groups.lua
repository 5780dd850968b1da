-- Change:    none: ids whose jobs have expired leave some groups
-- KEYS:      1 the set of groups
-- ARGV:      1 prefix, 2 how many groups are checked at most, 3 how many ids of each
-- Returns:   how many ids left
-- Invariant: only ids without a job leave. A group without members does not exist. Groups and ids
--            are chosen at random, so that repeated calls reach all of them after a while.
--@include keys
--@include group
local left = 0
if not usable(KEYS[1], 'set') then return left end
for _, group in ipairs(redis.call('SRANDMEMBER', KEYS[1], ARGV[2])) do
  if usable(group_key(group), 'set') then
    left = left + remove_gone_jobs(group, redis.call('SRANDMEMBER', group_key(group), ARGV[3]))
  end
end
return left
