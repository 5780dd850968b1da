-- Sets of jobs that belong together. A group is there while it has a member.
-- Needs: keys.lua
--@include foreign

local function join_group(group, ids)
  if usable(group_key(group), 'set') and usable(groups_key(), 'set') then
    redis.call('SADD', group_key(group), unpack(ids))
    redis.call('SADD', groups_key(), group)
  end
end

local function leave_group(id, group)
  if not usable(group_key(group), 'set') then return end
  redis.call('SREM', group_key(group), id)
  if redis.call('EXISTS', group_key(group)) == 0 and usable(groups_key(), 'set') then
    redis.call('SREM', groups_key(), group)
  end
end
