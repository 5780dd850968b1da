-- Arrow:     (new) -> scheduled
-- KEYS:      1 the job's hash, 2 the queue's scheduled registry, 3 the set of queues
-- ARGV:      1 prefix, 2 id, 3 queue, 4 when it is due, in unix seconds, or
--            '+' and seconds from now, 5 '1' when the id was minted for this very call, 'only' when
--            it is to be the only one, 6.. field, value, ...
-- Returns:   {'scheduled', unix seconds at which it is due}; {'running', worker} when a job with
--            this id runs now; {'exists', status} or {'held', id}: see unique.lua.
-- Invariant: as enqueue.lua, with the scheduled registry as the place: hash and entry appear
--            together, so that no promotion finds one without the other.
--@include keys
--@include clock
--@include places
--@include schedule
local id, queue, minted = ARGV[2], ARGV[3], ARGV[5]
local after = string.match(ARGV[4], '^%+(.*)$')
local due = after and now + tonumber(after) or tonumber(ARGV[4])

local status = redis.call('HGET', KEYS[1], 'status')
if status then
  if minted == '1' then return {'scheduled', tostring(due)} end
  if status == 'started' then
    return {'running', redis.call('HGET', KEYS[1], 'worker_name') or ''}
  end
end
local refused = refusal(id, minted == 'only', 6)
if refused then return refused end
-- Should foreign data stand under one of these keys, this ends the script while nothing has changed.
redis.call('ZCARD', KEYS[2])
redis.call('SCARD', KEYS[3])
if minted ~= '1' then
  leave_places(id, redis.call('HGET', KEYS[1], 'origin') or queue, status)
end
redis.call('ZADD', KEYS[2], due, id)
redis.call('SADD', KEYS[3], queue_key(queue))
forget(id)
redis.call('HSET', KEYS[1], 'origin', queue, 'status', 'scheduled', 'created_at', stamp(now),
  'x_created', now_micro, unpack(ARGV, 6))
tie(id, 6)
announce(queue, due)
return {'scheduled', tostring(due)}
