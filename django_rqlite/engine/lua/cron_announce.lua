-- Arrow:     none: somebody evaluates these cron entries
-- KEYS:      1 the sorted set of entries, 2.. the hashes of the entries
-- ARGV:      1 prefix, then for each entry: name, schedule, queue, function, source, next tick in
--            unix seconds
-- Returns:   {the server's time, floor, ...}: ticks up to an entry's floor are settled; '' where
--            its key holds something else.
-- Invariant: an entry that is new, or has another schedule than before, begins now: it owes no
--            tick of the past. One that is known keeps its last tick, so that what was missed
--            while nobody evaluated it is noticed. One that is paused stays so, also with another
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
    keep_entry(entry, tonumber(ARGV[from + 5]))
    fits('ZADD', KEYS[1], now, ARGV[from])
    answer[#answer + 1] = string.format('%.0f', math.max(since, unix_seconds(known[3]) or 0))
  end
end
fits('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ENTRY_KEPT)
return answer
