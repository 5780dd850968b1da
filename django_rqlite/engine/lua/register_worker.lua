-- Change:    none: registers a worker
-- KEYS:      1 the worker's record
-- ARGV:      1 prefix, 2 name, 3 ttl of the record in seconds, 4 hostname, 5 pid,
--            6 x_instance of a record on this host that is known to be dead (its pid, if it has no
--            x_instance), or '', 7 seconds without a heartbeat after which one of our records is
--            dead, 8 number of queues, 9.. the queues, then field, value, ... of the record
-- Returns:   {} if the worker was registered, else {hostname, pid, last_heartbeat, x_instance,
--            x_process} of the live worker that has the name
-- Invariant: one live worker for each name. A dead record is replaced: one with a death, one that
--            the caller knows to be dead, or one of ours that has been silent for too long.
--@include keys
--@include clock
--@include wrong_type
local key, name = KEYS[1], ARGV[2]
delete_wrong_type(key, 'hash')
local found = redis.call('HMGET', key, 'birth', 'death', 'hostname', 'pid', 'last_heartbeat',
  'x_lease', 'x_instance', 'x_process')
if found[1] and not found[2] then
  local dead = (found[3] == ARGV[4] and ARGV[6] ~= '' and ARGV[6] == (found[7] or found[4]))
    or (found[6] and (found[5] or '') < timestamp(now - tonumber(ARGV[7])))
  if not dead then
    return {found[3] or '', found[4] or '', found[5] or '', found[7] or '', found[8] or ''}
  end
end
redis.call('DEL', key)
local queues = tonumber(ARGV[8])
local at = timestamp(now)
redis.call('HSET', key, 'birth', at, 'last_heartbeat', at, 'state', 'idle',
  'hostname', ARGV[4], 'pid', ARGV[5], unpack(ARGV, 9 + queues))
redis.call('EXPIRE', key, ARGV[3])
-- If a set has the wrong type, the worker works nevertheless, without its name in the set.
try_command('SADD', workers_key(), key)
for i = 9, 8 + queues do try_command('SADD', queue_workers_key(ARGV[i]), key) end
return {}
