-- Change:    failed, stopped or canceled -> queued
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2 '1' to push at the front, 3.. the ids, in the order of KEYS
-- Returns:   'queued', 'not failed' or 'missing' for each id
-- Invariant: registry, mirror, hash and queue change in one step. A second call does not queue a
--            job again. Earlier results are kept. Dependents that were canceled because of the job
--            wait for it again.
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
  elseif not origin or not (score_in(failed_key(origin), id)
      or score_in(canceled_key(origin), id)) then
    verdicts[i] = 'not failed'
  else
    -- The push comes first: if the queue's key has the wrong type, nothing has changed.
    redis.call(ARGV[2] == '1' and 'LPUSH' or 'RPUSH', queue_key(origin), id)
    if remove_from(failed_key(origin), id) then remove_from_mirror(id, is_mirrored(id)) end
    remove_from(canceled_key(origin), id)
    try_command('SADD', queues_key(), queue_key(origin))
    redis.call('HSET', job, 'status', 'queued', 'enqueued_at', timestamp(now),
      'x_enqueued', now_micro)
    redis.call('HDEL', job, 'ended_at', 'started_at', 'last_heartbeat', 'worker_name',
      'exc_info', 'result', 'x_sig_result', 'x_error', 'x_canceled_by',
      'x_found_status', 'x_mirrored')
    redis.call('PERSIST', job)
    -- A person asked for this job, so it does not wait for its parents.
    remove_from_parents(id)
    redis.call('DEL', dependencies_key(id))
    revive_dependents(id)
    verdicts[i] = 'queued'
  end
end
return verdicts
