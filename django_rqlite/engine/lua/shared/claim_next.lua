-- Taking the next job of a worker's queues: the heart of claim.lua, and the tail of finish.lua
-- and fail.lua, so that a busy worker needs one round trip for each job.
-- Needs: keys.lua, clock.lua, execution.lua
--@include dependents
--@include wrong_type
--@include suspension

-- Ids without a runnable job that one call drops at the most, so that no call takes long.
local MOST_DROPPED = 100

local ENDED_IN = {
  finished = finished_key, failed = failed_key, stopped = failed_key, canceled = canceled_key,
}

-- What a job may say of itself, as of RQ 2.12; nothing at all is well, too.
local KNOWN = {queued = true, created = true, deferred = true, scheduled = true,
  started = true, finished = true, failed = true, stopped = true, canceled = true}

-- Why the id that waits in this queue must not run, or nil; and the status of its job, or nil.
local function why_not(queue, id)
  local job = job_key(id)
  local status = redis.pcall('HGET', job, 'status')
  if status == 'queued' then return nil, status end
  if misfits(status) then
    return 'its key holds a ' .. redis.call('TYPE', job).ok .. ', not a hash'
  end
  if not status then
    if redis.call('EXISTS', job) == 0 then return 'its hash is gone' end
    return nil, nil
  end
  if status == 'started' then
    make_usable(executions_key(id), 'zset')
    for _, execution in ipairs(redis.call('ZRANGE', executions_key(id), 0, -1)) do
      if type(redis.pcall('ZSCORE', started_key(queue), id .. ':' .. execution)) == 'string' then
        return 'it is running already'
      end
    end
  end
  local registry = ENDED_IN[status]
  if registry and stands_in(registry(queue), id) then return 'it is ' .. status .. ' already' end
  return nil, status
end

local function claimed(queue, id, notes)
  return {id, queue, redis.call('HGETALL', job_key(id)), notes, 0, {}}
end

-- Returns {id, queue, {field, value, ...}, notes, more, pauses}; id is false when nothing was
-- claimed; pauses then tells what must not be taken from (suspension.lua).
-- notes: what was dropped and why, for the worker's log. more: 1 when so much was dropped that
-- the rest was not looked at.
-- The execution id is the caller's, so a claim whose answer was lost can be asked for again:
-- the worker's record remembers the last one.
local function claim_next(worker, execution, lease, queues)
  local notes = {}
  local record = worker_key(worker)
  local last = on_own('HMGET', record, 'x_execution', 'x_claimed_queue', 'x_claimed_job', 'birth')
  if last[1] == execution and last[3] and holds(last[2], last[3], execution) then
    return claimed(last[2], last[3], notes)
  end
  local pauses = {}
  local look = anything_paused(queues)
  if look and suspended(pauses) then return {false, false, {}, notes, 0, pauses} end
  for _, queue in ipairs(queues) do
    local list = queue_key(queue)
    local id = not (look and paused(queue, pauses)) and redis.pcall('LINDEX', list, 0)
    if misfits(id) then
      notes[#notes + 1] = misfit(list, 'list')
      id = false
    end
    while id do
      local reason, status = why_not(queue, id)
      if not reason then
        -- An id leaves its queue only after it has entered the started registry.
        if not enter_started(queue, id, execution, lease) then
          notes[#notes + 1] = misfit(started_key(queue), 'zset')
          break
        end
        -- A status that no release of RQ knows is kept before it is written over: the job is
        -- claimed like any other, so that its worker can fail it with the reason.
        if status and not KNOWN[status] then
          redis.call('HSET', job_key(id), 'x_found_status', status)
        end
        begin_execution(queue, id, execution, worker, lease)
        redis.call('LPOP', list)
        redis.call('HSET', record, 'state', 'busy', 'current_job', id,
          'current_job_working_time', '0', 'last_heartbeat', stamp(now),
          'x_execution', execution, 'x_claimed_queue', queue, 'x_claimed_job', id)
        -- A record that expired or was flushed meanwhile comes back only until the next beat.
        if not last[4] then redis.call('EXPIRE', record, lease) end
        return claimed(queue, id, notes)
      end
      notes[#notes + 1] = 'job ' .. id .. ' dropped from queue ' .. queue .. ': ' .. reason
      redis.call('LPOP', list)
      if redis.call('EXISTS', job_key(id)) == 0 then tell_dependents(id, 'has expired') end
      if #notes >= MOST_DROPPED then return {false, false, {}, notes, 1, {}} end
      id = redis.call('LINDEX', list, 0)
    end
  end
  return {false, false, {}, notes, 0, pauses}
end

-- The claim that comes with an outcome, or {}. first: where in ARGV the execution to claim with
-- stands ('': claim none), the lease in seconds, and the names of the queues to claim from.
local function claim_too(worker, first)
  if ARGV[first] == '' then return {} end
  return claim_next(worker, ARGV[first], tonumber(ARGV[first + 1]), {unpack(ARGV, first + 2)})
end
