-- Change:    (new) -> queued, for many jobs of one queue whose ids were made for this call and
--            which have no unique key
-- KEYS:      1 the queue's list, 2 the set of queues
-- ARGV:      1 prefix, 2 queue, 3 '1' to push at the front, 4 ttl in seconds or '', 5 group or '',
--            6.. for each job its id, how many of the following arguments are its own, field,
--            value, ...
-- Returns:   when the jobs were enqueued, in unix microseconds
-- Invariant: as enqueue.lua. All hashes and list entries appear in one step, or none of them does.
--@include keys
--@include timestamp
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

-- Jobs that exist come from an earlier try of this call whose answer was lost; nothing is done.
if redis.call('EXISTS', unpack(jobs)) > 0 then
  for _, job in ipairs(jobs) do
    local known = redis.call('HGET', job, 'x_created')
    if known then return known end
  end
end

redis.call(at_front == '1' and 'LPUSH' or 'RPUSH', KEYS[1], unpack(ids))
if type(redis.pcall('SADD', KEYS[2], KEYS[1])) == 'table' then
  -- The key has the wrong type. The second SADD ends the script, and nothing has changed.
  for _ = 1, #ids do redis.call(at_front == '1' and 'LPOP' or 'RPOP', KEYS[1]) end
  redis.call('SADD', KEYS[2], KEYS[1])
end
local time = redis.call('TIME')
local at, micro = timestamp(time[1]), time[1] .. string.format('%06d', time[2])
for number, job in ipairs(jobs) do
  redis.call('HSET', job, 'origin', queue, 'status', 'queued', 'created_at', at,
    'enqueued_at', at, 'x_created', micro, unpack(ARGV, begins[number], begins[number + 1] - 3))
  if ttl ~= '' then redis.call('EXPIRE', job, ttl) end
end
if group ~= '' then join_group(group, ids) end
return micro
