-- Arrow:     none of ours: ids that a worker of RQ 2 left between its queue and its registry
-- KEYS:      1.. of each queue the list in which RQ's workers keep what they have just taken, and
--            the queue's list
-- ARGV:      1 prefix, 2 seconds after which an id there counts as left, 3 how many to look at in
--            each queue, 4.. the names of the queues
-- Returns:   a list of {queue, id} of what was put back
-- Invariant: an id goes back to the front of its queue, unless its job is gone or elsewhere. When
--            it was seen first is remembered where RQ remembers it, so both may look.
--@include keys
--@include clock
--@include wrong_type
local patience, most = tonumber(ARGV[2]), tonumber(ARGV[3])

local rescued = {}
local function rescue(queue, taken, list)
  for _, id in ipairs(redis.call('LRANGE', taken, 0, most - 1)) do
    local seen_key = first_seen_key(queue, id)
    make_usable(executions_key(id), 'zset')
    local status = redis.call('TYPE', job_key(id)).ok == 'hash'
      and redis.call('HGET', job_key(id), 'status')
    if status ~= 'queued' then
      -- Gone, running or ended: only the trace in this list was left behind.
      if not status or status ~= 'started' then redis.call('LREM', taken, 1, id) end
    elseif redis.call('ZCARD', executions_key(id)) == 0 then
      local seen = tonumber(on_own('GET', seen_key) or '')
      if not seen then
        redis.call('SET', seen_key, now, 'EX', 86400)
      elseif now - seen >= patience then
        redis.call('LPUSH', list, id)
        redis.call('LREM', taken, 1, id)
        redis.call('DEL', seen_key)
        rescued[#rescued + 1] = {queue, id}
      end
    end
  end
end

for i = 1, #KEYS, 2 do
  if usable(KEYS[i], 'list') and usable(KEYS[i + 1], 'list') then
    rescue(ARGV[4 + (i - 1) / 2], KEYS[i], KEYS[i + 1])
  end
end
return rescued
