-- Change:    none: pauses or resumes a cron entry
-- KEYS:      1 the entry's hash
-- ARGV:      1 prefix, 2 '1' to pause, '0' to resume
-- Returns:   'changed'; 'unchanged': it was in that state already; 'missing': no such entry was
--            announced, or its key has the wrong type
-- Invariant: an entry that is resumed begins now, as a new one does: the ticks of the pause have no
--            jobs. Announcements do not end a pause, so it lasts as long as the record.
--@include clock
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 'missing' end
local known = redis.call('HMGET', KEYS[1], 'schedule', 'last_tick', 'paused_at')
if not known[1] and not known[2] then return 'missing' end

if ARGV[2] == '1' then
  return redis.call('HSETNX', KEYS[1], 'paused_at', now) == 1 and 'changed' or 'unchanged'
end
if not known[3] then return 'unchanged' end
redis.call('HDEL', KEYS[1], 'paused_at')
redis.call('HSET', KEYS[1], 'since', now)
return 'changed'
