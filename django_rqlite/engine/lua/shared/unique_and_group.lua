-- What a job is tied to beside its place: its unique key and its group.
-- Needs: keys.lua
--@include job_argument
--@include unique
--@include group

-- For a new job, after its hash was written. first: where in ARGV its fields and values begin.
local function tie(id, first)
  local key, group = said(first, 'x_unique'), said(first, 'group_id')
  if key then take_unique(id, key, said(first, 'x_unique_for')) end
  if group then join_group(group, {id}) end
end

-- For a job that is about to be deleted.
local function untie(id)
  local fields = redis.call('HMGET', job_key(id), 'x_unique', 'group_id')
  if fields[1] then drop_unique(id, fields[1]) end
  if fields[2] and fields[2] ~= '' then leave_group(id, fields[2]) end
end
