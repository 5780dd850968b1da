-- How the outcome of an execution is kept.
-- Needs: keys.lua
--@include foreign

-- Outcomes kept for each job (RQ 2.12: rq/results.py keeps about as many).
local RESULTS_KEPT = 10

-- Sets the time to live of all that belongs to an ended job. -1: for ever.
local function expire_job(id, ttl)
  for _, key in ipairs({job_key(id), results_key(id), dependents_key(id), dependencies_key(id)}) do
    if ttl >= 0 then redis.call('EXPIRE', key, ttl) else redis.call('PERSIST', key) end
  end
end

-- Appends to the stream that RQ 2.12 reads results and tracebacks from.
-- kind: 1 successful, 2 failed. payload_field: 'return_value' or 'exc_string'; '' is left out.
-- signature: of the value, in a field that RQ's readers pass over, or ''.
local function record_outcome(id, kind, worker, execution, began, payload_field, payload, signature)
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
  make_usable(results_key(id), 'stream')
  redis.call('XADD', results_key(id), 'MAXLEN', RESULTS_KEPT, '*', unpack(entry))
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
