-- Arrow:     (new) -> queued, for many jobs of one queue whose ids were minted for this very call and
--            which have no unique key
-- KEYS:      1 the queue's list, 2 the set of queues
-- ARGV:      1 prefix, 2 queue, 3 '1' to push at the front, 4 ttl in seconds or '', 5 group or '',
--            6.. for each job its id, how many of the following are its own, field, value, ...
-- Returns:   the stamp
-- Invariant: as enqueue.lua. Hashes and list entries appear together, all of them or none.
--@include keys
--@include stamp
--@include new
--@include group
local queue, at_front, ttl, group = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local ids, jobs, begins = {}, {}, {}
local i = 6
while i < #ARGV do
  local number = #ids + 1
  ids[number], jobs[number], begins[number] = ARGV[i], job_key(ARGV[i]), i + 2
  i = i + 2 + ARGV[i + 1]
end
begins[#ids + 1] = i + 2

-- Those that are there can only be this call's first try whose answer was lost: nothing is done.
if redis.call('EXISTS', unpack(jobs)) > 0 then
  for _, job in ipairs(jobs) do
    local known = redis.call('HGET', job, 'enqueued_at')
    if known then return known end
  end
end

local at = stamp(tonumber(redis.call('TIME')[1]))
push_ids(KEYS[1], KEYS[2], at_front, ids)
for number, job in ipairs(jobs) do
  write_new(job, queue, at, ttl, begins[number], begins[number + 1] - 3)
end
if group ~= '' then join_group(group, ids) end
return at
