-- Change:    none: removes jobs from a group
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2 name of the group, 3.. the ids, in the order of KEYS
-- Returns:   nothing
-- Invariant: the group's set and the jobs agree. A group without members does not exist.
--@include keys
--@include group
for i, job in ipairs(KEYS) do
  leave_group(ARGV[i + 2], ARGV[2])
  if usable(job, 'hash') and redis.call('HGET', job, 'group_id') == ARGV[2] then
    redis.call('HDEL', job, 'group_id')
  end
end
