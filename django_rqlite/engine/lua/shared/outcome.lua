-- How the outcome of an execution is kept.
-- Needs: keys.lua
--@include wrong_type

-- Outcomes kept for each job (RQ 2.12: rq/results.py keeps about as many).
local RESULTS_KEPT = 10

-- Sets the time to live of all that belongs to an ended job. -1: for ever.
-- dependents: whether the set of the jobs that wait for it is to go with it.
local function expire_job(id, ttl, dependents)
  local keys = {job_key(id), results_key(id), dependencies_key(id)}
  if dependents then keys[4] = dependents_key(id) end
  for _, key in ipairs(keys) do
    if ttl >= 0 then redis.call('EXPIRE', key, ttl) else redis.call('PERSIST', key) end
  end
  if ttl >= 0 then redis.call('EXPIRE', job_log_key(id), ttl) end
end

-- Appends to the stream that RQ 2.12 reads results and tracebacks from.
-- kind: 1 successful, 2 failed. payload_field: 'return_value' or 'exc_string'; '' is left out.
-- signature, not_kept: of the value, and why that is not what the job returned, in fields that RQ's
-- readers pass over, or ''.
local function record_outcome(id, kind, worker, execution, began, payload_field, payload, signature,
    not_kept)
  local entry = {'type', kind, 'worker_name', worker, 'execution_id', execution,
    'execution_started_at', began, 'execution_ended_at', now_precise}
  if payload ~= '' then
    entry[#entry + 1] = payload_field
    entry[#entry + 1] = payload
  end
  if signature ~= '' then
    entry[#entry + 1] = 'x_sig'
    entry[#entry + 1] = signature
  end
  if not_kept ~= '' then
    entry[#entry + 1] = 'x_not_kept'
    entry[#entry + 1] = not_kept
  end
  local key = results_key(id)
  if redis.call('EXISTS', key) == 1 then
    local added = redis.pcall('XADD', key, 'MAXLEN', RESULTS_KEPT, '*', unpack(entry))
    if type(added) == 'string' then return end
    -- Something else stands there, or a stream whose last entry leaves no id for another.
    redis.call('DEL', key)
  end
  -- The server allocates 4 KiB for the first entry of a stream, in case there will be more, which
  -- mostly there will not. A copy takes what it needs.
  local scratch = scratch_key()
  redis.call('DEL', scratch)
  redis.call('XADD', scratch, '*', unpack(entry))
  redis.call('COPY', scratch, key)
  redis.call('DEL', scratch)
end

-- Whether this execution's outcome of this kind is there already: a worker tells it again when the
-- connection broke before the answer to the first time.
local function recorded(id, kind, execution)
  if redis.call('TYPE', results_key(id)).ok ~= 'stream' then return false end
  local entries = redis.call('XREVRANGE', results_key(id), '+', '-', 'COUNT', RESULTS_KEPT)
  for _, entry in ipairs(entries) do
    local said = {}
    for i = 1, #entry[2], 2 do said[entry[2][i]] = entry[2][i + 1] end
    if said.execution_id == execution and said.type == kind then return true end
  end
  return false
end
