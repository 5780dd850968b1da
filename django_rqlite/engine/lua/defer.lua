-- Arrow:     (new) -> deferred, for a job that depends on others; queued or scheduled where none of
--            them is left to wait for; canceled where one of them has ended badly
-- KEYS:      1 the job's hash, 2 the queue's list, 3 the set of queues
-- ARGV:      1 prefix, 2 id, 3 queue, 4 '1' when the id was minted for this very call, 'only'
--            when it is to be the only one,
--            5 '1' when a parent that ended badly will do, 6 when it is due in unix seconds,
--            '+' and seconds from now, or '', 7 how many parents, 8.. their ids,
--            then field, value, ...
-- Returns:   {status, reason}; {'running', worker} when a job with this id runs now;
--            {'cycle', parent} when the parent waits for this very job; {'exists', status} or
--            {'held', id}: see unique.lua.
-- Invariant: the states of the parents are read, and the job takes its place, in one step: none of
--            them can end unnoticed in between.
--@include keys
--@include clock
--@include places
--@include dependents

-- Members that one command takes: Lua's stack has an end.
local MOST_AT_ONCE = 1000

-- From this many parents on, one SORT reads their statuses faster than as many HGETs.
local MANY = 20

-- The statuses of the parents, in their order. The server may refuse the SORT: in a cluster, and to a
-- user who may not read all keys. And a prefix with an asterisk would spoil its pattern.
local function statuses_of_parents(first, last)
  if last - first >= MANY and not string.find(prefix, '*', 1, true) then
    redis.call('DEL', scratch_key())
    for i = first, last, MOST_AT_ONCE do
      redis.call('RPUSH', scratch_key(), unpack(ARGV, i, math.min(last, i + MOST_AT_ONCE - 1)))
    end
    local statuses =
      redis.pcall('SORT', scratch_key(), 'BY', 'nosort', 'GET', job_key('*->status'))
    redis.call('DEL', scratch_key())
    if not statuses.err then return statuses end
  end
  local statuses = {}
  for i = first, last do
    statuses[#statuses + 1] = redis.pcall('HGET', job_key(ARGV[i]), 'status')
  end
  return statuses
end

local id, queue, minted, allow = ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local after = string.match(ARGV[6], '^%+(.*)$')
local due = after and now + tonumber(after) or tonumber(ARGV[6])
local count = tonumber(ARGV[7])

local status = redis.call('HGET', KEYS[1], 'status')
if status then
  if minted == '1' then return {status, ''} end
  if status == 'started' then
    return {'running', redis.call('HGET', KEYS[1], 'worker_name') or ''}
  end
end
local refused = refusal(id, minted == 'only', 8 + count)
if refused then return refused end
local seen = {}
for i = 8, 7 + count do
  if ARGV[i] == id or (minted ~= '1' and waits_for(ARGV[i], id, seen)) then
    return {'cycle', ARGV[i]}
  end
end
-- Should foreign data stand under one of these keys, this ends the script while nothing has changed.
redis.call('LLEN', KEYS[2])
redis.call('SCARD', KEYS[3])
for _, registry in ipairs({deferred_key, scheduled_key, canceled_key}) do
  redis.call('ZCARD', registry(queue))
end
if minted ~= '1' then
  leave_parents(id)
  leave_places(id, redis.call('HGET', KEYS[1], 'origin') or queue, status)
end
forget(id)
redis.call('HSET', KEYS[1], 'origin', queue, 'status', 'deferred', 'created_at', stamp(now),
  'x_created', now_micro, unpack(ARGV, 8 + count))
tie(id, 8 + count)
if due then redis.call('HSET', KEYS[1], 'x_due', due) end

local statuses = statuses_of_parents(8, 7 + count)
local waits, culprit, ending = false, nil, nil
local remaining = {}
-- There may be thousands of parents, and a local name costs less than a global one.
local arguments, try, start = ARGV, redis.pcall, job_key('')
for i = 1, count do
  local verdict = verdict_on(statuses[i], allow)
  if verdict ~= 'met' then
    local parent = arguments[i + 7]
    -- Also of one that ended badly: should it be requeued, the job will wait for it after all.
    local children = start .. parent .. ':dependents'
    if type(try('SADD', children, id)) == 'table' then on_own('SADD', children, id) end
    remaining[#remaining + 1] = parent
    if verdict == 'unmet' then waits = true else culprit, ending = parent, verdict end
  end
end
for i = 1, #remaining, MOST_AT_ONCE do
  redis.call('SADD', dependencies_key(id),
    unpack(remaining, i, math.min(#remaining, i + MOST_AT_ONCE - 1)))
end
if culprit then
  redis.call('SADD', KEYS[3], KEYS[2])
  cancel_for(queue, id, culprit, ending)
elseif waits then
  defer(queue, id)
else
  release_child(queue, id)
end
local fields = redis.call('HMGET', KEYS[1], 'status', 'x_error')
return {fields[1], fields[2] or ''}
