-- Arrow:     failed, stopped or canceled -> queued
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2 '1' to push at the front, 3.. the ids, in the order of KEYS
-- Returns:   a list with 'queued', 'not failed' or 'missing' for each id
-- Invariant: registry, mirror list, hash and queue change together; a job requeued twice is
--            queued once. The history of results stays. Jobs that were canceled because of it wait
--            for it again.
--@include keys
--@include clock
--@include failed_mirror
--@include dependents
local verdicts = {}
for i, job in ipairs(KEYS) do
  local id = ARGV[i + 2]
  local there = redis.call('TYPE', job).ok == 'hash'
  local origin = there and redis.call('HGET', job, 'origin')
  if not there then
    verdicts[i] = 'missing'
  elseif not origin or not (stands_in(failed_key(origin), id)
      or stands_in(canceled_key(origin), id)) then
    verdicts[i] = 'not failed'
  else
    -- The push comes first: should foreign data stand under the queue's key, nothing has changed.
    redis.call(ARGV[2] == '1' and 'LPUSH' or 'RPUSH', queue_key(origin), id)
    if leave(failed_key(origin), id) then unmirror(id, is_mirrored(id)) end
    leave(canceled_key(origin), id)
    fits('SADD', queues_key(), queue_key(origin))
    redis.call('HSET', job, 'status', 'queued', 'enqueued_at', stamp(now), 'x_enqueued', now_micro)
    redis.call('HDEL', job, 'ended_at', 'started_at', 'last_heartbeat', 'worker_name',
      'exc_info', 'result', 'x_sig_result', 'x_error', 'x_canceled_by',
      'x_found_status', 'x_mirrored')
    redis.call('PERSIST', job)
    -- Who asks for it by name does not want it to wait.
    leave_parents(id)
    redis.call('DEL', dependencies_key(id))
    take_back(id)
    verdicts[i] = 'queued'
  end
end
return verdicts
