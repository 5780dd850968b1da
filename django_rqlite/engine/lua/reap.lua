-- Change:    started -> queued, for executions whose lease has expired: their worker is dead, or
--            has been silent for so long that it counts as dead
-- KEYS:      1.. for each queue its started registry and its list
-- ARGV:      1 prefix, 2 how often a job is queued again after its worker died, 3 extra seconds
--            before an expired lease of RQ's own workers counts, 4 how many entries are handled in
--            each queue; after as many in total, the remaining queues are left for the next call,
--            5 how many long lists may be searched, 6.. the names of the queues
-- Returns:   a list of {queue, id, execution, worker, verdict}. The verdict is 'requeued'; 'gone':
--            the job does not exist or is elsewhere; 'placed': the execution had ended, and
--            the id has now moved to its place, whose key had the wrong type before; 'spent':
--            nothing was changed, and the caller fails the job
-- Invariant: an id moves once, however many workers reap. It goes to the front, because it has
--            waited longest, and the crash is counted.
--@include keys
--@include clock
--@include execution
--@include wrong_type
--@include schedule
--@include list_ends
local most_crashes, patience, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local searches = tonumber(ARGV[5])

-- Deletes the entry and its execution.
local function drop_entry(started, member, id, execution)
  redis.call('ZREM', started, member)
  redis.call('DEL', execution_key(id, execution))
  delete_wrong_type(executions_key(id), 'zset')
  redis.call('ZREM', executions_key(id), execution)
end

-- Whether the job is nowhere else; nil if that needs a search and no more lists may be searched. A
-- worker of RQ that dies between its two steps of starting a job leaves it 'queued', in no list or
-- in the intermediate one.
local function is_only_here(queue, list, id, status)
  if status == 'started' then return true end
  if status ~= 'queued' then return false end
  local waits = is_near_an_end(list, id)
  if not waits and not is_short(list) then
    if searches == 0 then return nil end
    searches = searches - 1
    waits = redis.call('LPOS', list, id) ~= false
  end
  if usable(intermediate_key(queue), 'list') then
    redis.call('LREM', intermediate_key(queue), 0, id)
  end
  return not waits
end

-- Seconds after which an id whose place could not take it is tried again.
local NEXT_TRY = 60

local found = {}

-- Moves an id whose execution has ended to its place. Returns 'placed'; 'refused' if the key of
-- that place has the wrong type; or 'gone' if the job is elsewhere or does not exist.
local function place(queue, id, status)
  local placed
  if status == 'queued' or status == 'scheduled' then
    placed = enqueue_or_schedule(queue, id, 0, true)
  elseif status == 'finished' or status == 'failed' or status == 'stopped' then
    local registry, kept = failed_key, -1
    if status == 'finished' then registry, kept = finished_key, '+inf' end
    local ttl = redis.call('TTL', job_key(id))
    placed = try_command('ZADD', registry(queue), ttl < 0 and kept or now + ttl, id)
  else
    return 'gone'
  end
  return placed and 'placed' or 'refused'
end

-- Handles the ids that end_execution left in the registry.
local function place_ended(queue, started, list)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', started, -now, '(0', 'LIMIT', 0, most)) do
    local id = string.match(member, '^(.*):$')
    local fields = id and redis.pcall('HMGET', job_key(id), 'status', 'origin') or {}
    local here = fields[2] == queue
    if here and fields[1] == 'queued' and usable(list, 'list') then
      here = is_only_here(queue, list, id, 'queued')
    end
    local verdict = here and place(queue, id, fields[1]) or 'gone'
    if here == nil or not id then
      -- it waits for the next call, or is not one of ours
    elseif verdict == 'refused' then
      redis.call('ZADD', started, -now - NEXT_TRY, member)
    else
      redis.call('ZREM', started, member)
      found[#found + 1] = {queue, id, '', '', verdict}
    end
  end
end

local function reap(queue, started, list)
  local function report(id, execution, worker, verdict)
    found[#found + 1] = {queue, id, execution, worker, verdict}
  end
  -- Times are whole seconds, so a lease that expires in this second may still be valid.
  local members = redis.call('ZRANGEBYSCORE', started, 0, '(' .. now, 'WITHSCORES', 'LIMIT', 0,
    most)
  for i = 1, #members, 2 do
    local member, score = members[i], tonumber(members[i + 1])
    local id, execution = string.match(member, '^(.*):([^:]*)$')
    if not id then id, execution = member, '' end  -- RQ 0.5 kept bare ids
    local fields = redis.call('TYPE', job_key(id)).ok == 'hash'
      and redis.call('HMGET', job_key(id), 'status', 'worker_name', 'x_crashes')
    delete_wrong_type(execution_key(id, execution), 'hash')
    local ours = redis.call('HEXISTS', execution_key(id, execution), 'x_lease') == 1
    if not fields then
      drop_entry(started, member, id, execution)
      report(id, execution, '', 'gone')
    elseif ours or score + patience <= now then
      local worker = fields[2] or ''
      local crashes = math.floor(tonumber(fields[3] or '') or 0)
      local only_here = is_only_here(queue, list, id, fields[1])
      if only_here == nil then
        -- it waits for the next call
      elseif not only_here then
        -- Deleted and enqueued again, or moved by another tool: this entry is a leftover.
        drop_entry(started, member, id, execution)
        report(id, execution, worker, 'gone')
      elseif crashes >= most_crashes and fields[1] == 'started' then
        report(id, execution, worker, 'spent')
      else
        redis.call('LPUSH', list, id)
        try_command('SADD', queues_key(), list)
        redis.call('HSET', job_key(id), 'status', 'queued', 'x_crashes', crashes + 1)
        redis.call('HDEL', job_key(id), 'started_at', 'last_heartbeat', 'worker_name')
        drop_entry(started, member, id, execution)
        report(id, execution, worker, 'requeued')
      end
    end
  end
end

for i = 1, #KEYS, 2 do
  if #found >= most then break end
  if usable(KEYS[i], 'zset') then
    local queue = ARGV[6 + (i - 1) / 2]
    place_ended(queue, KEYS[i], KEYS[i + 1])
    if usable(KEYS[i + 1], 'list') then reap(queue, KEYS[i], KEYS[i + 1]) end
  end
end
return found
