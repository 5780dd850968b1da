-- Arrow:     none: ids whose jobs have expired leave their groups
-- KEYS:      1 the set of groups
-- ARGV:      1 prefix, 2 how many groups to look at, 3 how many ids of each, at the most,
--            4.. names of the groups; none: some, by chance
-- Returns:   how many ids left
-- Invariant: only an id without a job leaves. A group without members is none. Who looks at some
--            by chance, again and again, has looked at all after a while.
--@include keys
--@include group
local left = 0
if not usable(KEYS[1], 'set') then return left end
local groups = {unpack(ARGV, 4)}
if #groups == 0 then groups = redis.call('SRANDMEMBER', KEYS[1], ARGV[2]) end
for _, group in ipairs(groups) do
  local key = group_key(group)
  if usable(key, 'set') then
    for _, id in ipairs(redis.call('SRANDMEMBER', key, ARGV[3])) do
      if redis.call('EXISTS', job_key(id)) == 0 then
        redis.call('SREM', key, id)
        left = left + 1
      end
    end
    if redis.call('EXISTS', key) == 0 then redis.call('SREM', KEYS[1], group) end
  end
end
return left
