-- Change:    none: writes the records of cron entries that a worker evaluates
-- KEYS:      1 the sorted set of entries, 2.. the hashes of the entries
-- ARGV:      1 prefix, then for each entry: name, schedule, queue, function, source, next tick in
--            unix seconds
-- Returns:   {the server's time, floor, ...}. Ticks up to an entry's floor are settled. The floor
--            is '' if the entry's key has the wrong type.
-- Invariant: an entry that is new, or that has another schedule than before, begins now and has no
--            ticks in the past. A known entry keeps its last tick, so that a worker notices the
--            ticks that were missed meanwhile. A paused entry stays paused, also with another
--            schedule.
--@include keys
--@include clock
--@include wrong_type
--@include cron_entry
local PARTS = 6

local answer = {now_precise}
for i = 2, #KEYS do
  local entry, from = KEYS[i], 2 + (i - 2) * PARTS
  local kind = redis.call('TYPE', entry).ok
  if kind ~= 'hash' and kind ~= 'none' then
    answer[#answer + 1] = ''
  else
    local known = redis.call('HMGET', entry, 'schedule', 'since', 'last_tick')
    local since = unix_seconds(known[2])
    if known[1] ~= ARGV[from + 1] or not since then since = now end
    redis.call('HSET', entry, 'schedule', ARGV[from + 1], 'queue', ARGV[from + 2],
      'func', ARGV[from + 3], 'source', ARGV[from + 4], 'next_tick', ARGV[from + 5],
      'since', since, 'announced_at', now)
    expire_entry(entry, tonumber(ARGV[from + 5]))
    try_command('ZADD', KEYS[1], now, ARGV[from])
    answer[#answer + 1] = string.format('%.0f', math.max(since, unix_seconds(known[3]) or 0))
  end
end
try_command('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ENTRY_KEPT)
return answer
