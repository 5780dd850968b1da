-- Change:    scheduled -> queued, before the jobs are due
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2.. the ids, in the order of KEYS
-- Returns:   'queued', 'not scheduled' or 'missing' for each id
-- Invariant: registry, hash and queue change in one step. A second call does not queue a job again.
--@include keys
--@include clock
--@include promote_job
local verdicts = {}
for i, job in ipairs(KEYS) do
  local id = ARGV[i + 1]
  local there = redis.call('TYPE', job).ok == 'hash'
  local queue = there and redis.call('HGET', job, 'origin')
  local registry = queue and scheduled_key(queue)
  if not there then
    verdicts[i] = 'missing'
  elseif not registry or redis.call('TYPE', registry).ok ~= 'zset'
      or not redis.call('ZSCORE', registry, id) then
    verdicts[i] = 'not scheduled'
  else
    verdicts[i] = promote(queue, registry, id)
    -- This ends the script with the server's own error. The job has not changed.
    if verdicts[i] == 'refused' then redis.call('LLEN', queue_key(queue)) end
  end
end
return verdicts
