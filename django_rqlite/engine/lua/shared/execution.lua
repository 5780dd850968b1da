-- One execution of a job: how it begins, who holds it, how it ends.
-- Needs: keys.lua, clock.lua
--@include foreign

-- Seconds that the execution's own keys outlive its lease (RQ 2.12: rq/executions.py).
local EXECUTION_SLACK = 60

-- The first step into the started registry; false where something else stands under its key, and
-- nothing has changed.
local function enter_started(queue, id, execution, lease)
  local answer = redis.pcall('ZADD', started_key(queue), now + lease, id .. ':' .. execution)
  if misfits(answer) then return false end
  if type(answer) == 'table' and answer.err then error(answer, 0) end
  return true
end

-- queued or created -> started, once the id has entered the registry.
local function begin_execution(queue, id, execution, worker, lease)
  local at = stamp(now)
  local job, key, all = job_key(id), execution_key(id, execution), executions_key(id)
  redis.call('HSET', job, 'status', 'started', 'origin', queue,
    'started_at', at, 'last_heartbeat', at, 'worker_name', worker)
  redis.call('PERSIST', job)
  redis.call('PERSIST', results_key(id))
  redis.call('HSET', key, 'id', execution, 'created_at', now_precise,
    'last_heartbeat', now_precise, 'worker_name', worker, 'x_lease', lease)
  redis.call('EXPIRE', key, lease + EXECUTION_SLACK)
  on_own('ZADD', all, now + lease + EXECUTION_SLACK, execution)
  redis.call('EXPIRE', all, lease + EXECUTION_SLACK)
end

-- The fence: whether this execution still holds the job. Nothing may be written where it does not.
local function holds(queue, id, execution)
  return redis.call('ZSCORE', started_key(queue), id .. ':' .. execution) ~= false
    and redis.call('EXISTS', job_key(id)) == 1
end

-- Takes the execution's own keys away; returns the unix time it began at, as text.
local function end_execution(queue, id, execution)
  local key = execution_key(id, execution)
  local began = redis.call('HGET', key, 'created_at') or now_precise
  redis.call('ZREM', started_key(queue), id .. ':' .. execution)
  redis.call('DEL', key)
  on_own('ZREM', executions_key(id), execution)
  return began
end

-- The worker's record after an execution, and after the next claim if there was one; counter is
-- 'successful_job_count', 'failed_job_count' or nil. A worker without a record (enqueued with ASYNC
-- off) is named ''.
local function settle_worker(worker, id, began, counter)
  if worker == '' then return end
  local key = worker_key(worker)
  local found = redis.call('HMGET', key, 'birth', 'current_job')
  if not found[1] and not found[2] then return end
  if counter then
    -- These are no promise: where something else stands than a number, they stay as they are.
    redis.pcall('HINCRBY', key, counter, 1)
    redis.pcall('HINCRBYFLOAT', key, 'total_working_time',
      string.format('%.6f', math.max(0, tonumber(now_precise) - (tonumber(began) or now))))
  end
  if found[2] == id then
    redis.call('HDEL', key, 'current_job')
    redis.call('HSET', key, 'state', 'idle', 'current_job_working_time', '0')
  end
end

-- After the fence refused an outcome: where the job is gone altogether its started entry goes too.
local function let_go(queue, id, execution)
  if redis.call('EXISTS', job_key(id)) == 0 then end_execution(queue, id, execution) end
end
