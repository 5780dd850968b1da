-- Change:    none: unregisters a worker
-- KEYS:      1 the worker's record
-- ARGV:      1 prefix, 2 seconds for which the record is kept, 3 the worker's x_instance, or '',
--            4.. the queues
-- Returns:   nothing
-- Invariant: the record gets the time of death and expires by itself. A record that another worker
--            has taken over does not change.
--@include keys
--@include clock
--@include wrong_type
local owner = ARGV[3] ~= '' and redis.pcall('HGET', KEYS[1], 'x_instance')
if type(owner) == 'string' and owner ~= ARGV[3] then return end
try_command('SREM', workers_key(), KEYS[1])
for i = 4, #ARGV do try_command('SREM', queue_workers_key(ARGV[i]), KEYS[1]) end
if redis.call('TYPE', KEYS[1]).ok == 'hash' then
  redis.call('HSET', KEYS[1], 'death', timestamp(now))
  redis.call('EXPIRE', KEYS[1], ARGV[2])
end
