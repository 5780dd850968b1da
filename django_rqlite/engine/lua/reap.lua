-- Arrow:     started -> queued, for executions whose lease has ended: their worker is dead, or has
--            been silent for so long that it counts as dead
-- KEYS:      1 the queue's started registry, 2 the queue's list
-- ARGV:      1 prefix, 2 queue, 3 how often a job may lose its worker and be queued again,
--            4 seconds of patience with leases of RQ's own workers, 5 how many to look at
-- Returns:   a list of {id, execution, worker, verdict}: 'requeued', 'gone' (the job is no more, or
--            elsewhere),
--            or 'spent' (nothing was changed: it is for the caller to fail it, through the fence)
-- Invariant: an id moves in one step and once, however many workers reap. It goes to the front, as
--            it had waited longest, and the loss is counted.
--@include keys
--@include clock
--@include execution
--@include foreign
local queue, most, patience = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

-- Takes the entry away, and the execution with it.
local function drop_entry(member, id, execution)
  redis.call('ZREM', KEYS[1], member)
  redis.call('DEL', execution_key(id, execution))
  make_usable(executions_key(id), 'zset')
  redis.call('ZREM', executions_key(id), execution)
end

-- Whether the job stands nowhere but here. A worker of RQ that dies between its two steps of
-- starting a job leaves it 'queued', in no list or in the one of what was just taken.
local function is_only_here(id, status)
  if status == 'started' then return true end
  if status ~= 'queued' then return false end
  if usable(intermediate_key(queue), 'list') then
    redis.call('LREM', intermediate_key(queue), 0, id)
  end
  return not redis.call('LPOS', KEYS[2], id)
end

local found = {}
if not usable(KEYS[1], 'zset') or not usable(KEYS[2], 'list') then return found end
-- Times are cut to whole seconds: of a lease that ends in this one, a part may be left.
local members = redis.call('ZRANGEBYSCORE', KEYS[1], 0, '(' .. now, 'WITHSCORES', 'LIMIT', 0, ARGV[5])
for i = 1, #members, 2 do
  local member, score = members[i], tonumber(members[i + 1])
  local id, execution = string.match(member, '^(.*):([^:]*)$')
  if not id then id, execution = member, '' end  -- RQ 0.5 kept bare ids
  local fields = redis.call('TYPE', job_key(id)).ok == 'hash'
    and redis.call('HMGET', job_key(id), 'status', 'worker_name', 'x_crashes')
  make_usable(execution_key(id, execution), 'hash')
  local ours = redis.call('HEXISTS', execution_key(id, execution), 'x_lease') == 1
  if not fields then
    drop_entry(member, id, execution)
    found[#found + 1] = {id, execution, '', 'gone'}
  elseif ours or score + patience <= now then
    local worker = fields[2] or ''
    local crashes = math.floor(tonumber(fields[3] or '') or 0)
    if not is_only_here(id, fields[1]) then
      -- Deleted and enqueued again, or moved by another tool: this entry is a leftover.
      drop_entry(member, id, execution)
      found[#found + 1] = {id, execution, worker, 'gone'}
    elseif crashes >= most and fields[1] == 'started' then
      found[#found + 1] = {id, execution, worker, 'spent'}
    else
      redis.call('LPUSH', KEYS[2], id)
      redis.call('SADD', queues_key(), KEYS[2])
      redis.call('HSET', job_key(id), 'status', 'queued', 'x_crashes', crashes + 1)
      redis.call('HDEL', job_key(id), 'started_at', 'last_heartbeat', 'worker_name')
      drop_entry(member, id, execution)
      found[#found + 1] = {id, execution, worker, 'requeued'}
    end
  end
end
return found
