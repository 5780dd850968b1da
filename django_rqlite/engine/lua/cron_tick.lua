-- Change:    (new) -> queued, for one tick of a cron entry
-- KEYS:      1 the entry's hash, 2 the tick's key, 3 the job's hash, 4 the queue's list,
--            5 the set of queues
-- ARGV:      1 prefix, 2 name of the entry, 3 the tick, 4 the tick after it (both in unix seconds),
--            5 seconds by which a tick may be ahead of this server's clock,
--            6 id, 7 queue, 8 '1' to push at the front, 9 ttl in seconds or '', 10.. field, value,
--            ...
-- Returns:   {verdict, the server's time, the entry's last tick or ''}. The verdict is 'queued';
--            'early': the tick is ahead of the clock; 'settled': this tick or a later one was
--            decided before; 'paused': the entry is paused, so the tick has no job.
-- Invariant: each tick has one job at most, however often and by how many workers it is proposed.
--            The tick is marked as decided and its job enters the queue in one step. While an entry
--            is paused, only its next tick is written; cron_pause.lua settles the ticks of the
--            pause when it ends.
--@include keys
--@include clock
--@include places
--@include push_new
--@include cron_entry
local name, tick, following, skew = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

-- Seconds for which a tick's own key is kept. The record refuses old ticks; the key does so if the
-- record was lost.
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
  expire_entry(KEYS[1], following)
  return {'paused', now_precise, last}
end

local id = ARGV[6]
push_new(id, ARGV[7], ARGV[8], ARGV[9], 10)
redis.call('SET', KEYS[2], id, 'EX', math.max(SHORTEST, math.min(LONGEST, following - tick)))
redis.call('HSET', KEYS[1], 'last_tick', ARGV[3], 'next_tick', ARGV[4],
  'enqueued_at', timestamp(now))
set_last_job(KEYS[1], id)
expire_entry(KEYS[1], following)
return {'queued', now_precise, ARGV[3]}
