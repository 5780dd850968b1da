-- Adds jobs to groups and removes them. A group exists as long as it has a member.
-- Needs: keys.lua
--@include wrong_type

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

-- Removes those of these ids that have no job from a group. Returns how many.
local function remove_gone_jobs(group, ids)
  local left = 0
  for _, id in ipairs(ids) do
    if redis.call('EXISTS', job_key(id)) == 0 then
      redis.call('SREM', group_key(group), id)
      left = left + 1
    end
  end
  if redis.call('EXISTS', group_key(group)) == 0 then redis.call('SREM', groups_key(), group) end
  return left
end
