-- Begins and ends an execution of a job, and checks whether it holds the job.
-- Needs: keys.lua, clock.lua
--@include wrong_type

-- Seconds by which the execution's own keys outlive its lease (RQ 2.12: rq/executions.py).
local EXECUTION_SLACK = 60

-- Adds an id to the started registry. Returns false if the registry has the wrong type; then
-- nothing has changed.
local function add_to_started(queue, id, execution, lease)
  return (try_command('ZADD', started_key(queue), now + lease, id .. ':' .. execution))
end

-- Writes that an execution has begun, once the id is in the registry.
local function begin_execution(queue, id, execution, worker, lease)
  local at = timestamp(now)
  local job, key, all = job_key(id), execution_key(id, execution), executions_key(id)
  redis.call('HSET', job, 'status', 'started', 'origin', queue,
    'started_at', at, 'last_heartbeat', at, 'x_span', now_micro, 'worker_name', worker)
  redis.call('PERSIST', job)
  redis.call('PERSIST', results_key(id))
  force_command('HSET', key, 'id', execution, 'created_at', now_precise,
    'last_heartbeat', now_precise, 'worker_name', worker, 'x_lease', lease)
  redis.call('EXPIRE', key, lease + EXECUTION_SLACK)
  force_command('ZADD', all, now + lease + EXECUTION_SLACK, execution)
  redis.call('EXPIRE', all, lease + EXECUTION_SLACK)
end

-- Whether there is a job with this id. A key of another type does not count.
local function is_job(id)
  local fields = redis.pcall('HLEN', job_key(id))
  return type(fields) == 'number' and fields > 0
end

-- The fence: whether this execution still holds the job. If not, the job must not change.
local function holds(queue, id, execution)
  local held = redis.pcall('ZSCORE', started_key(queue), id .. ':' .. execution)
  -- If the registry was overwritten, the execution's own key decides: it is deleted
  -- together with the entry.
  if type(held) == 'table' then held = redis.call('EXISTS', execution_key(id, execution)) == 1 end
  return held and is_job(id)
end

-- When an execution began, in unix seconds as text.
local function began_at(id, execution)
  local began = redis.pcall('HGET', execution_key(id, execution), 'created_at')
  return type(began) == 'string' and began or now_precise
end

-- The job's x_span for an execution that ends now: when it began and how long it took, both in
-- microseconds.
local function span_since(began)
  local from = math.floor((tonumber(began) or now) * 1e6 + 0.5)
  return string.format('%.0f %.0f', from, now * 1e6 + tonumber(clock[2]) - from)
end

-- Deletes the execution's own keys. The id leaves the started registry, unless its next place could
-- not take it: then it stays there, without an execution, until reap.lua moves it to its place.
-- stays: the unix time of the first try, or nil. The score is its negative, because RQ fails
-- jobs whose score is a time in the past.
local function end_execution(queue, id, execution, stays)
  if stays then try_command('ZADD', started_key(queue), -stays, id .. ':') end
  try_command('ZREM', started_key(queue), id .. ':' .. execution)
  redis.call('DEL', execution_key(id, execution))
  force_command('ZREM', executions_key(id), execution)
end

-- Updates the worker's record after an execution, and after the next claim if there was one.
-- worker: '' if it has no record (ASYNC: False). counter: 'successful_job_count',
-- 'failed_job_count' or nil. The current job is identified by its execution, because the
-- next claim may have been of the same id.
local function update_worker(worker, execution, began, counter)
  if worker == '' then return end
  local key = worker_key(worker)
  local found = redis.pcall('HMGET', key, 'birth', 'current_job', 'x_execution')
  if not found[1] and not found[2] then return end
  if counter then
    -- A field that is not a number does not change.
    redis.pcall('HINCRBY', key, counter, 1)
    redis.pcall('HINCRBYFLOAT', key, 'total_working_time',
      string.format('%.6f', math.max(0, tonumber(now_precise) - (tonumber(began) or now))))
  end
  if found[2] and found[3] == execution then
    redis.call('HDEL', key, 'current_job')
    redis.call('HSET', key, 'state', 'idle', 'current_job_working_time', '0')
  end
end

-- If the fence refused an outcome because the job is gone, its started entry goes too.
local function drop_if_job_is_gone(queue, id, execution)
  if not is_job(id) then end_execution(queue, id, execution) end
end
