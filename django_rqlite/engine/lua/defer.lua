-- Change:    (new) -> deferred, for a job that depends on others; queued or scheduled if it has to
--            wait for none of them; canceled if one of them has ended badly
-- KEYS:      1 the job's hash, 2 the queue's list, 3 the set of queues
-- ARGV:      1 prefix, 2 id, 3 queue, 4 '1' if the id was made for this call, 'only' to refuse
--            the call if there is a job with this id, 5 '1' if the job also runs after a parent
--            that ended badly, 6 when it is due in unix seconds, or '+' and seconds from now, or
--            '', 7 how many parents, 8.. their ids, then field, value, ...
-- Returns:   {status, reason}; {'cycle', parent} if the parent waits for this job; or a refusal,
--            see older_job.lua
-- Invariant: the states of the parents are read and the job takes its place in one step, so that no
--            parent ends unnoticed in between.
--@include keys
--@include clock
--@include older_job
--@include dependents

-- The maximum number of arguments of one command: Lua's stack is limited.
local MOST_AT_ONCE = 1000

-- From this number of parents on, one SORT is faster than one HGET for each.
local MANY = 20

-- Returns the statuses of the parents, in their order. The server may refuse the SORT, in a cluster
-- or to a user who may not read all keys. Its pattern cannot express a prefix with an asterisk.
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
if status and minted == '1' then return {status, ''} end
local refused = refusal(id, status, minted == 'only', 8 + count)
if refused then return refused end
local seen = {}
for i = 8, 7 + count do
  if ARGV[i] == id or (minted ~= '1' and depends_on(ARGV[i], id, seen)) then
    return {'cycle', ARGV[i]}
  end
end
-- If one of these keys has the wrong type, the script ends here, and nothing has changed.
redis.call('LLEN', KEYS[2])
redis.call('SCARD', KEYS[3])
for _, registry in ipairs({deferred_key, scheduled_key, canceled_key}) do
  redis.call('ZCARD', registry(queue))
end
if minted ~= '1' then
  remove_from_parents(id)
  remove_older_job(id, queue, status)
end
delete_job_keys(id)
redis.call('HSET', KEYS[1], 'origin', queue, 'status', 'deferred', 'created_at', timestamp(now),
  'x_created', now_micro, unpack(ARGV, 8 + count))
add_unique_and_group(id, 8 + count)
if due then redis.call('HSET', KEYS[1], 'x_due', due) end

local statuses = statuses_of_parents(8, 7 + count)
local waits, failed_parent, ending = false, nil, nil
local remaining = {}
-- There may be thousands of parents, and local names are faster than global ones.
local arguments, try, start = ARGV, redis.pcall, job_key('')
for i = 1, count do
  local verdict = verdict_on(statuses[i], allow)
  if verdict ~= 'met' then
    local parent = arguments[i + 7]
    -- A parent that ended badly counts too: if it is requeued, the job waits for it again.
    local children = start .. parent .. ':dependents'
    if type(try('SADD', children, id)) == 'table' then force_command('SADD', children, id) end
    remaining[#remaining + 1] = parent
    if verdict == 'unmet' then waits = true else failed_parent, ending = parent, verdict end
  end
end
for i = 1, #remaining, MOST_AT_ONCE do
  redis.call('SADD', dependencies_key(id),
    unpack(remaining, i, math.min(#remaining, i + MOST_AT_ONCE - 1)))
end
if failed_parent then
  redis.call('SADD', KEYS[3], KEYS[2])
  cancel_dependent(queue, id, failed_parent, ending)
elseif waits then
  defer(queue, id)
else
  release_dependent(queue, id)
end
local fields = redis.call('HMGET', KEYS[1], 'status', 'x_error')
return {fields[1], fields[2] or ''}
