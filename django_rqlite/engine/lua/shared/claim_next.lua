-- Claims the next job of a worker's queues, in claim.lua and at the end of settle.lua, so that a
-- busy worker needs one round trip for each job.
-- Needs: keys.lua, clock.lua, execution.lua
--@include dependents
--@include wrong_type
--@include suspension

-- The maximum number of ids without a runnable job that one call drops, so that no call takes long.
local MOST_DROPPED = 100

local ENDED_IN = {
  finished = finished_key, failed = failed_key, stopped = failed_key, canceled = canceled_key,
}

-- The statuses of RQ 2.12. A job without a status can be claimed, too.
local KNOWN = {queued = true, created = true, deferred = true, scheduled = true,
  started = true, finished = true, failed = true, stopped = true, canceled = true}

-- Returns why the id at the head of this queue must not run, or nil; and the status of its job, or
-- nil.
local function reason_to_drop(queue, id)
  local job = job_key(id)
  local status = redis.pcall('HGET', job, 'status')
  if status == 'queued' then return nil, status end
  if is_wrong_type(status) then
    return 'its key holds a ' .. redis.call('TYPE', job).ok .. ', not a hash'
  end
  if not status then
    if redis.call('EXISTS', job) == 0 then return 'its hash is gone' end
    return nil, nil
  end
  if status == 'started' then
    delete_wrong_type(executions_key(id), 'zset')
    for _, execution in ipairs(redis.call('ZRANGE', executions_key(id), 0, -1)) do
      if type(redis.pcall('ZSCORE', started_key(queue), id .. ':' .. execution)) == 'string' then
        return 'it is running already'
      end
    end
  end
  local registry = ENDED_IN[status]
  if registry and score_in(registry(queue), id) then return 'it is ' .. status .. ' already' end
  return nil, status
end

local function claim_answer(queue, id, notes)
  return {id, queue, redis.call('HGETALL', job_key(id)), notes, 0, {}}
end

-- Returns {id, queue, {field, value, ...}, notes, more, pauses}. id is false if nothing was
-- claimed; pauses then lists the pauses in force (suspension.lua). notes: which ids were dropped
-- and why, for the worker's log. more: 1 if so many were dropped that the rest was not checked. The
-- caller chooses the execution's id, and the worker's record keeps the last one, so that a claim
-- whose answer was lost can be repeated.
local function claim_next(worker, execution, lease, queues)
  local notes = {}
  local record = worker_key(worker)
  local last =
    force_command('HMGET', record, 'x_execution', 'x_claimed_queue', 'x_claimed_job', 'birth')
  if last[1] == execution and last[3] and holds(last[2], last[3], execution) then
    return claim_answer(last[2], last[3], notes)
  end
  local pauses = {}
  local any_pause = anything_paused(queues)
  if any_pause and suspended(pauses) then return {false, false, {}, notes, 0, pauses} end
  for _, queue in ipairs(queues) do
    local list = queue_key(queue)
    local id = not (any_pause and paused(queue, pauses)) and redis.pcall('LINDEX', list, 0)
    if is_wrong_type(id) then
      notes[#notes + 1] = wrong_type_message(list, 'list')
      id = false
    end
    while id do
      local reason, status = reason_to_drop(queue, id)
      if not reason then
        -- An id leaves its queue only after it has entered the started registry.
        if not add_to_started(queue, id, execution, lease) then
          notes[#notes + 1] = wrong_type_message(started_key(queue), 'zset')
          break
        end
        -- A status that no release of RQ knows is kept in a field before it is overwritten. The job
        -- is claimed like any other, so that its worker can fail it with the reason.
        if status and not KNOWN[status] then
          redis.call('HSET', job_key(id), 'x_found_status', status)
        end
        begin_execution(queue, id, execution, worker, lease)
        redis.call('LPOP', list)
        redis.call('HSET', record, 'state', 'busy', 'current_job', id,
          'current_job_working_time', '0', 'last_heartbeat', timestamp(now),
          'x_execution', execution, 'x_claimed_queue', queue, 'x_claimed_job', id)
        -- A record that has expired or was flushed comes back only until the next heartbeat.
        if not last[4] then redis.call('EXPIRE', record, lease) end
        return claim_answer(queue, id, notes)
      end
      notes[#notes + 1] = 'job ' .. id .. ' dropped from queue ' .. queue .. ': ' .. reason
      redis.call('LPOP', list)
      if redis.call('EXISTS', job_key(id)) == 0 then notify_dependents(id, 'has expired') end
      if #notes >= MOST_DROPPED then return {false, false, {}, notes, 1, {}} end
      id = redis.call('LINDEX', list, 0)
    end
  end
  return {false, false, {}, notes, 0, pauses}
end

-- The claim that comes with an outcome, or {}. first: the number in ARGV of the execution to claim
-- with ('': claim none), which the lease in seconds and the names of the queues follow.
local function claim_after_outcome(worker, first)
  if ARGV[first] == '' then return {} end
  return claim_next(worker, ARGV[first], tonumber(ARGV[first + 1]), {unpack(ARGV, first + 2)})
end
