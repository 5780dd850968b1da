-- Arrow:     scheduled -> queued, for one job, before its time
-- KEYS:      1 the job's hash
-- ARGV:      1 prefix, 2 the id
-- Returns:   'queued', 'not scheduled' or 'missing'
-- Invariant: registry, hash and queue change together; a job hastened twice is queued once.
--@include keys
--@include clock
--@include promote
local id = ARGV[2]
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 'missing' end
local queue = redis.call('HGET', KEYS[1], 'origin')
local registry = queue and scheduled_key(queue)
if not registry or redis.call('TYPE', registry).ok ~= 'zset'
    or not redis.call('ZSCORE', registry, id) then
  return 'not scheduled'
end
promote(queue, registry, id)
return 'queued'
