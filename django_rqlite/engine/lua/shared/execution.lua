-- One execution of a job: how it begins, who holds it, how it ends.
-- Needs: keys.lua, clock.lua
--@include foreign

-- Seconds that the execution's own keys outlive its lease (RQ 2.12: rq/executions.py).
local EXECUTION_SLACK = 60

-- queued or created -> started. The caller has taken the id out of its former place.
local function begin_execution(queue, id, execution, worker, lease)
  local at = stamp(now)
  redis.call('ZADD', started_key(queue), now + lease, id .. ':' .. execution)
  redis.call('HSET', job_key(id), 'status', 'started', 'origin', queue,
    'started_at', at, 'last_heartbeat', at, 'worker_name', worker)
  redis.call('PERSIST', job_key(id))
  redis.call('PERSIST', results_key(id))
  local key = execution_key(id, execution)
  redis.call('HSET', key, 'id', execution, 'created_at', now_precise,
    'last_heartbeat', now_precise, 'worker_name', worker, 'x_lease', lease)
  redis.call('EXPIRE', key, lease + EXECUTION_SLACK)
  make_usable(executions_key(id), 'zset')
  redis.call('ZADD', executions_key(id), now + lease + EXECUTION_SLACK, execution)
  redis.call('EXPIRE', executions_key(id), lease + EXECUTION_SLACK)
end

-- The fence: whether this execution still holds the job. Nothing may be written where it does not.
local function holds(queue, id, execution)
  return redis.call('ZSCORE', started_key(queue), id .. ':' .. execution) ~= false
    and redis.call('EXISTS', job_key(id)) == 1
end

-- Takes the execution's own keys away; returns the unix time it began at, as text.
local function end_execution(queue, id, execution)
  local began = redis.call('HGET', execution_key(id, execution), 'created_at') or now_precise
  redis.call('ZREM', started_key(queue), id .. ':' .. execution)
  redis.call('DEL', execution_key(id, execution))
  make_usable(executions_key(id), 'zset')
  redis.call('ZREM', executions_key(id), execution)
  return began
end

-- The worker's record after an execution; counter is 'successful_job_count', 'failed_job_count'
-- or nil. A worker without a record (enqueued with ASYNC off) is named ''.
local function settle_worker(worker, id, began, counter)
  local key = worker_key(worker)
  if worker == '' or redis.call('EXISTS', key) == 0 then return end
  if counter then
    redis.call('HINCRBY', key, counter, 1)
    redis.call('HINCRBYFLOAT', key, 'total_working_time',
      string.format('%.6f', math.max(0, tonumber(now_precise) - tonumber(began))))
  end
  if redis.call('HGET', key, 'current_job') == id then
    redis.call('HDEL', key, 'current_job')
    redis.call('HSET', key, 'state', 'idle', 'current_job_working_time', '0')
  end
end

-- After the fence refused an outcome: the worker no longer shows the job as its own, and where the
-- job is gone altogether its started entry goes too.
local function let_go(worker, queue, id, execution)
  if redis.call('EXISTS', job_key(id)) == 0 then end_execution(queue, id, execution) end
  settle_worker(worker, id, now_precise, nil)
end
