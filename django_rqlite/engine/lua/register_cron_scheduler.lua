-- Change:    none: registers an rqcron process, as RQ 2.12 registers its own, or unregisters it
-- KEYS:      1 the sorted set of such processes, 2 the hash of this one
-- ARGV:      1 prefix, 2 its name, 3 ttl of the hash in seconds (0: it ends), 4.. field, value, ...
-- Returns:   nothing
-- Invariant: the set and the hash agree. Processes without a heartbeat leave the set.
--@include clock
--@include wrong_type
local name, ttl = ARGV[2], tonumber(ARGV[3])
if ttl == 0 then
  try_command('ZREM', KEYS[1], name)
  redis.call('DEL', KEYS[2])
  return
end
try_command('ZADD', KEYS[1], now_precise, name)
try_command('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ttl)
force_command('HSET', KEYS[2], unpack(ARGV, 4))
redis.call('EXPIRE', KEYS[2], ttl)
