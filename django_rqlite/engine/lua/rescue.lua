-- Arrow:     none of ours: ids that a worker of RQ 2 left between its queue and its registry
-- KEYS:      1 the list in which RQ's workers keep what they have just taken, 2 the queue's list
-- ARGV:      1 prefix, 2 queue, 3 seconds after which an id there counts as left,
--            4 how many to look at
-- Returns:   the ids that were put back
-- Invariant: an id goes back to the front of its queue, unless its job is gone or elsewhere. When
--            it was seen first is remembered where RQ remembers it, so both may look.
--@include keys
--@include clock
--@include foreign
local rescued = {}
if not usable(KEYS[1], 'list') or not usable(KEYS[2], 'list') then return rescued end
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, tonumber(ARGV[4]) - 1)) do
  local seen_key = first_seen_key(ARGV[2], id)
  make_usable(executions_key(id), 'zset')
  local status = redis.call('TYPE', job_key(id)).ok == 'hash'
    and redis.call('HGET', job_key(id), 'status')
  if status ~= 'queued' then
    -- Gone, running or ended: only the trace in this list was left behind.
    if not status or status ~= 'started' then redis.call('LREM', KEYS[1], 1, id) end
  elseif redis.call('ZCARD', executions_key(id)) == 0 then
    local seen = tonumber(redis.call('GET', seen_key) or '')
    if not seen then
      redis.call('SET', seen_key, now, 'EX', 86400)
    elseif now - seen >= tonumber(ARGV[3]) then
      redis.call('LPUSH', KEYS[2], id)
      redis.call('LREM', KEYS[1], 1, id)
      redis.call('DEL', seen_key)
      rescued[#rescued + 1] = id
    end
  end
end
return rescued
