-- Registers the unique key and the group of a job.
-- Needs: keys.lua
--@include job_argument
--@include unique
--@include group

-- For a new job whose hash was written. first: where in ARGV its fields and values begin.
local function add_unique_and_group(id, first)
  local key, group = job_argument(first, 'x_unique'), job_argument(first, 'group_id')
  if key then set_unique(id, key, job_argument(first, 'x_unique_for')) end
  if group then join_group(group, {id}) end
end

-- For a job that will be deleted.
local function remove_unique_and_group(id)
  local fields = redis.call('HMGET', job_key(id), 'x_unique', 'group_id')
  if fields[1] then delete_unique(id, fields[1]) end
  if fields[2] and fields[2] ~= '' then leave_group(id, fields[2]) end
end
