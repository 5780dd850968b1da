-- Change:    none: renews a worker's record and the leases of the jobs that it runs
-- KEYS:      1 the worker's record
-- ARGV:      1 prefix, 2 ttl of the record in seconds, 3 lease in seconds, 4 state,
--            5 '1' if the worker has been asked to end, 6 the worker's x_instance, or '',
--            7 how many of the following arguments are field, value, ... of the record, then these,
--            then id, queue, execution, ... of each running job
-- Returns:   {1 if the record exists, else 0, {execution, ...} of those that have lost their jobs}
-- Invariant: an execution that no longer holds its job renews nothing. Nor does a worker whose
--            record another one has taken over: for it, the record does not exist.
--@include keys
--@include clock
--@include execution
local record, lease = KEYS[1], tonumber(ARGV[3])
local first = 8 + tonumber(ARGV[7])  -- where the running jobs begin
local at = timestamp(now)
local lost = {}
for i = first, #ARGV, 3 do
  local id, queue, execution = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if holds(queue, id, execution) then
    try_command('ZADD', started_key(queue), 'XX', now + lease, id .. ':' .. execution)
    force_command('ZADD', executions_key(id), now + lease + EXECUTION_SLACK, execution)
    redis.call('EXPIRE', executions_key(id), lease + EXECUTION_SLACK)
    force_command('HSET', execution_key(id, execution), 'last_heartbeat', now_precise)
    redis.call('EXPIRE', execution_key(id, execution), lease + EXECUTION_SLACK)
    redis.call('HSET', job_key(id), 'last_heartbeat', at)
  else
    lost[#lost + 1] = execution
  end
end
local known = redis.pcall('HMGET', record, 'birth', 'x_instance')  -- an error has no members
if not known[1] then return {0, lost} end
if ARGV[6] ~= '' and (known[2] or ARGV[6]) ~= ARGV[6] then return {0, lost} end
redis.call('HSET', record, 'last_heartbeat', at, 'state', ARGV[4], unpack(ARGV, 8, first - 1))
if ARGV[5] == '1' then redis.call('HSETNX', record, 'shutdown_requested_date', at) end
if #ARGV >= first then
  local began = redis.call('HGET', execution_key(ARGV[first], ARGV[first + 2]), 'created_at')
  if began then
    redis.call('HSET', record, 'current_job_working_time',
      string.format('%.6f', tonumber(now_precise) - (tonumber(began) or now)))
  end
end
redis.call('EXPIRE', record, ARGV[2])
return {1, lost}
