-- Change:    (new) -> queued, for a cron entry that a person runs between its ticks
-- KEYS:      1 the entry's hash, 2 the job's hash, 3 the queue's list, 4 the set of queues
-- ARGV:      1 prefix, 2 id, 3 queue, 4 '1' to push at the front, 5 ttl in seconds or '',
--            6.. field, value, ...
-- Returns:   when the job was enqueued, in unix microseconds
-- Invariant: the job enters the queue and becomes the entry's last job in one step; the ticks do
--            not change. If the entry's record is gone or has the wrong type, the job runs
--            nevertheless. The id was made for this call, so a job that has it comes from an
--            earlier try of this call whose answer was lost; then nothing is done.
--@include keys
--@include clock
--@include places
--@include push_new
--@include cron_entry
local known = redis.call('HGET', KEYS[2], 'x_created')
if known then return known end
local at = push_new(ARGV[2], ARGV[3], ARGV[4], ARGV[5], 6)
if redis.call('TYPE', KEYS[1]).ok == 'hash' then set_last_job(KEYS[1], ARGV[2]) end
return at
