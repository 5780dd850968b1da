-- Arrow:     (new) -> queued, for one tick of a cron entry
-- KEYS:      1 the entry's hash, 2 the tick's key, 3 the job's hash, 4 the queue's list,
--            5 the set of queues
-- ARGV:      1 prefix, 2 name of the entry, 3 the tick, 4 the tick after it (unix seconds each),
--            5 seconds by which a tick may be ahead of this server's clock,
--            6 id, 7 queue, 8 '1' to push at the front, 9 ttl in seconds or '', 10.. field, value, ...
-- Returns:   {verdict, the server's time, the entry's last tick or ''}; verdict is 'queued',
--            'early' (the tick lies ahead), 'settled' (this tick, or a later one, was decided) or
--            'paused' (the entry is; the tick came and passes without a job).
-- Invariant: one job for each tick at the most, whoever proposes it and however often. The tick
--            is marked as done and its job enters the queue together, so that nothing is lost
--            between the two. While an entry is paused, nothing of its ticks is written but when the
--            next one is: cron_pause.lua settles them all when it ends.
--@include keys
--@include clock
--@include places
--@include push_new
--@include cron_entry
local name, tick, following, skew = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

-- Seconds that a tick's own key stays: the record refuses old ticks; this holds where it was lost.
local SHORTEST, LONGEST = 60, 86400

local known = redis.call('HMGET', KEYS[1], 'last_tick', 'since', 'paused_at')
local last = unix_seconds(known[1])
local floor = math.max(last or 0, unix_seconds(known[2]) or 0)
last = last and string.format('%.0f', last) or ''
if tick <= floor or redis.call('EXISTS', KEYS[2]) == 1 then
  return {'settled', now_precise, last}
end
if tick > tonumber(now_precise) + skew then return {'early', now_precise, last} end
if known[3] then
  redis.call('HSET', KEYS[1], 'next_tick', ARGV[4])
  keep_entry(KEYS[1], following)
  return {'paused', now_precise, last}
end

local id = ARGV[6]
push_new(id, ARGV[7], ARGV[8], ARGV[9], 10)
redis.call('SET', KEYS[2], id, 'EX', math.max(SHORTEST, math.min(LONGEST, following - tick)))
redis.call('HSET', KEYS[1], 'last_tick', ARGV[3], 'next_tick', ARGV[4], 'enqueued_at', stamp(now))
begin_last(KEYS[1], id)
keep_entry(KEYS[1], following)
return {'queued', now_precise, ARGV[3]}
