-- One execution of a job: how it begins, who holds it, how it ends.
-- Needs: keys.lua, clock.lua
--@include wrong_type

-- Seconds that the execution's own keys outlive its lease (RQ 2.12: rq/executions.py).
local EXECUTION_SLACK = 60

-- The first step into the started registry; false where something else stands under its key, and
-- nothing has changed.
local function enter_started(queue, id, execution, lease)
  return (fits('ZADD', started_key(queue), now + lease, id .. ':' .. execution))
end

-- queued or created -> started, once the id has entered the registry.
local function begin_execution(queue, id, execution, worker, lease)
  local at = stamp(now)
  local job, key, all = job_key(id), execution_key(id, execution), executions_key(id)
  redis.call('HSET', job, 'status', 'started', 'origin', queue,
    'started_at', at, 'last_heartbeat', at, 'x_span', now_micro, 'worker_name', worker)
  redis.call('PERSIST', job)
  redis.call('PERSIST', results_key(id))
  on_own('HSET', key, 'id', execution, 'created_at', now_precise,
    'last_heartbeat', now_precise, 'worker_name', worker, 'x_lease', lease)
  redis.call('EXPIRE', key, lease + EXECUTION_SLACK)
  on_own('ZADD', all, now + lease + EXECUTION_SLACK, execution)
  redis.call('EXPIRE', all, lease + EXECUTION_SLACK)
end

-- Whether there is such a job. A key of another type is none.
local function is_job(id)
  local fields = redis.pcall('HLEN', job_key(id))
  return type(fields) == 'number' and fields > 0
end

-- The fence: whether this execution still holds the job. Nothing may be written where it does not.
local function holds(queue, id, execution)
  local held = redis.pcall('ZSCORE', started_key(queue), id .. ':' .. execution)
  -- Foreign data took the entry away. The execution's own key goes with the hold, too.
  if type(held) == 'table' then held = redis.call('EXISTS', execution_key(id, execution)) == 1 end
  return held and is_job(id)
end

-- The unix time at which an execution began, as text.
local function began_at(id, execution)
  local began = redis.pcall('HGET', execution_key(id, execution), 'created_at')
  return type(began) == 'string' and began or now_precise
end

-- What the job's x_span says of an execution that ends now: when it began, and how long it took, in
-- microseconds.
local function span_since(began)
  local from = math.floor((tonumber(began) or now) * 1e6 + 0.5)
  return string.format('%.0f %.0f', from, now * 1e6 + tonumber(clock[2]) - from)
end

-- Takes the execution's own keys away. The id leaves the started registry, unless no other place
-- could take it: then it stays there, without an execution, until reap.lua brings it to its place.
-- stays: the unix time of the first try, or nil. As a score it is negative: RQ fails what stands
-- there with a time that is over.
local function end_execution(queue, id, execution, stays)
  if stays then fits('ZADD', started_key(queue), -stays, id .. ':') end
  fits('ZREM', started_key(queue), id .. ':' .. execution)
  redis.call('DEL', execution_key(id, execution))
  on_own('ZREM', executions_key(id), execution)
end

-- The worker's record after an execution, and after the next claim if there was one; counter is
-- 'successful_job_count', 'failed_job_count' or nil. A worker without a record (enqueued with ASYNC
-- off) is named ''. Whether another job is the current one by now is told by its execution: the next
-- claim may have been of the same id.
local function settle_worker(worker, execution, began, counter)
  if worker == '' then return end
  local key = worker_key(worker)
  local found = redis.pcall('HMGET', key, 'birth', 'current_job', 'x_execution')
  if not found[1] and not found[2] then return end
  if counter then
    -- Counts are no promise: where something else stands than a number, they stay as they are.
    redis.pcall('HINCRBY', key, counter, 1)
    redis.pcall('HINCRBYFLOAT', key, 'total_working_time',
      string.format('%.6f', math.max(0, tonumber(now_precise) - (tonumber(began) or now))))
  end
  if found[2] and found[3] == execution then
    redis.call('HDEL', key, 'current_job')
    redis.call('HSET', key, 'state', 'idle', 'current_job_working_time', '0')
  end
end

-- After the fence refused an outcome: where the job is gone altogether its started entry goes too.
local function let_go(queue, id, execution)
  if not is_job(id) then end_execution(queue, id, execution) end
end
