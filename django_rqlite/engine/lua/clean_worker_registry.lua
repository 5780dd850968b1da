-- Change:    none: unregisters workers whose records have expired
-- KEYS:      1 the set of workers
-- ARGV:      1 prefix, 2 how many of its names are checked, 3 how many names of each queue's set,
--            4 how many other queues are checked, 5 how many leases of a queue are read, 6 how
--            many in total, each at most; 7.. the names of some queues
-- Returns:   how many workers were unregistered
-- Invariant: a worker registers its name and its record in one step, so a name without a record
--            belongs to a worker that ended without unregistering. It is kept while that worker
--            holds a started job, so that people see which worker that is. Names are chosen at
--            random, so that repeated calls reach all of them after a while.
--@include keys
--@include wrong_type
local most, most_of_a_queue, most_queues = ARGV[2], ARGV[3], ARGV[4]
local most_leases, leases_left = tonumber(ARGV[5]), tonumber(ARGV[6])
local gone = {}

local function find_gone(set, count)
  if not usable(set, 'set') then return end
  local start = worker_key('')
  for _, key in ipairs(redis.call('SRANDMEMBER', set, count)) do
    if string.sub(key, 1, #start) == start and redis.call('EXISTS', key) == 0 then
      gone[key] = true
    end
  end
end

-- A worker that still holds a job is not gone.
local function keep_holders(started)
  local count = math.min(most_leases, leases_left)
  if count == 0 or not usable(started, 'zset') then return end
  for _, member in ipairs(redis.call('ZRANGE', started, 0, count - 1)) do
    leases_left = leases_left - 1
    local id = string.match(member, '^(.*):[^:]*$') or member
    local fields = redis.pcall('HMGET', job_key(id), 'status', 'worker_name')
    if fields[1] == 'started' and fields[2] then gone[worker_key(fields[2])] = nil end
  end
end

local queues, known = {}, {}
local function add(queue)
  if not known[queue] then queues[#queues + 1] = queue end
  known[queue] = true
end

find_gone(KEYS[1], most)
for i = 7, #ARGV do
  add(ARGV[i])
  find_gone(queue_workers_key(ARGV[i]), most_of_a_queue)
end
if not next(gone) then return 0 end

if usable(queues_key(), 'set') then
  local start = queue_key('')
  for _, key in ipairs(redis.call('SRANDMEMBER', queues_key(), most_queues)) do
    if string.sub(key, 1, #start) == start then add(string.sub(key, #start + 1)) end
  end
end
for _, queue in ipairs(queues) do keep_holders(started_key(queue)) end

local sets = {}
if usable(KEYS[1], 'set') then sets[1] = KEYS[1] end
for _, queue in ipairs(queues) do
  if usable(queue_workers_key(queue), 'set') then sets[#sets + 1] = queue_workers_key(queue) end
end
local count = 0
for key in pairs(gone) do
  for _, set in ipairs(sets) do redis.call('SREM', set, key) end
  count = count + 1
end
return count
