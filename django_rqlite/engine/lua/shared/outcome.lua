-- Stores the outcome of an execution.
-- Needs: keys.lua
--@include wrong_type

-- Outcomes that are kept for each job (RQ 2.12: rq/results.py keeps about as many).
local RESULTS_KEPT = 10

-- Sets when the keys of an ended job expire. ttl: seconds, -1: never. dependents: whether the set
-- of its dependents expires too.
local function expire_job(id, ttl, dependents)
  local keys = {job_key(id), results_key(id), dependencies_key(id)}
  if dependents then keys[4] = dependents_key(id) end
  for _, key in ipairs(keys) do
    if ttl >= 0 then redis.call('EXPIRE', key, ttl) else redis.call('PERSIST', key) end
  end
  if ttl >= 0 then redis.call('EXPIRE', job_log_key(id), ttl) end
end

-- Appends to the stream that RQ 2.12 reads results and tracebacks from. kind: 1 successful, 2
-- failed. payload_field: 'return_value' or 'exc_string'; '' is left out. signature: of the payload;
-- not_kept: why that is not the value that the job returned; both are in fields that RQ ignores, or
-- ''.
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
    -- The key has the wrong type, or its last entry has the largest possible id.
    redis.call('DEL', key)
  end
  -- The server allocates 4 KiB for the first entry of a stream, in case more follow. Mostly none
  -- do, and a copy of the stream takes no more than it needs.
  local scratch = scratch_key()
  redis.call('DEL', scratch)
  redis.call('XADD', scratch, '*', unpack(entry))
  redis.call('COPY', scratch, key)
  redis.call('DEL', scratch)
end

-- Whether this outcome of this execution was stored before. A worker repeats the call if the
-- connection broke before it had the answer.
local function is_recorded(id, kind, execution)
  if redis.call('TYPE', results_key(id)).ok ~= 'stream' then return false end
  local entries = redis.call('XREVRANGE', results_key(id), '+', '-', 'COUNT', RESULTS_KEPT)
  for _, entry in ipairs(entries) do
    local fields = {}
    for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
    if fields.execution_id == execution and fields.type == kind then return true end
  end
  return false
end
