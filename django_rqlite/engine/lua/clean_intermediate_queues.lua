-- Change:    none of ours: puts back ids that a worker of RQ 2 took and never started
-- KEYS:      1.. for each queue RQ's intermediate list, which holds what its workers have just
--            taken, and the queue's list
-- ARGV:      1 prefix, 2 seconds after which an id there counts as abandoned, 3 how many ids are
--            checked in each queue, 4.. the names of the queues
-- Returns:   a list of {queue, id} of the ids that were put back
-- Invariant: an id goes back to the front of its queue, unless its job is gone or elsewhere. The
--            time at which it was first seen is kept under RQ's own key, so that RQ may check it
--            too.
--@include keys
--@include clock
--@include wrong_type
local patience, most = tonumber(ARGV[2]), tonumber(ARGV[3])

local restored = {}
local function restore(queue, taken, list)
  for _, id in ipairs(redis.call('LRANGE', taken, 0, most - 1)) do
    local seen_key = first_seen_key(queue, id)
    delete_wrong_type(executions_key(id), 'zset')
    local status = redis.call('TYPE', job_key(id)).ok == 'hash'
      and redis.call('HGET', job_key(id), 'status')
    if status ~= 'queued' then
      -- The job is gone, runs or has ended: only this entry was left behind.
      if not status or status ~= 'started' then redis.call('LREM', taken, 1, id) end
    elseif redis.call('ZCARD', executions_key(id)) == 0 then
      local seen = tonumber(force_command('GET', seen_key) or '')
      if not seen then
        redis.call('SET', seen_key, now, 'EX', 86400)
      elseif now - seen >= patience then
        redis.call('LPUSH', list, id)
        redis.call('LREM', taken, 1, id)
        redis.call('DEL', seen_key)
        restored[#restored + 1] = {queue, id}
      end
    end
  end
end

for i = 1, #KEYS, 2 do
  if usable(KEYS[i], 'list') and usable(KEYS[i + 1], 'list') then
    restore(ARGV[4 + (i - 1) / 2], KEYS[i], KEYS[i + 1])
  end
end
return restored
