-- Change:    started -> failed or stopped, and queued -> started for the worker's next job
-- KEYS:      1 the job's hash, 2.. the lists of the queues to claim from
-- ARGV:      1 prefix, 2 worker, 3 id, 4 queue, 5 execution, 6 the worker's name in the result,
--            7 failure_ttl in seconds (-1: for ever),
--            8 the traceback or reason as text, 9 the same compressed and in base64,
--            10 one line that names the error, 11 'failed' or 'stopped',
--            12 execution to claim the next job with ('': claim none), 13 lease in seconds,
--            14.. the names of the queues to claim from
-- Returns:   as settle.lua
-- Invariant: as finish.lua. Dependents that do not allow failures are canceled, and the mirror of
--            failed jobs changes, in the same step.
--@include keys
--@include clock
--@include failed_mirror
--@include throughput
--@include cron_entry
--@include dependents
--@include settle
local id, queue, execution, worker_name = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local ttl, reason, encoded, headline = tonumber(ARGV[7]), ARGV[8], ARGV[9], ARGV[10]

local function store(began)
  local placed = try_command('ZADD', failed_key(queue), ttl < 0 and -1 or now + ttl, id)
  redis.call('HSET', KEYS[1], 'status', ARGV[11], 'ended_at', timestamp(now), 'ttl', '-1',
    'x_span', span_since(began), 'exc_info', reason, 'x_error', headline)
  if ARGV[11] == 'failed' then add_to_mirror(id) end
  end_execution(queue, id, execution, not placed and now)
  local known = redis.call('HMGET', KEYS[1], 'enqueued_at', 'x_cron')
  if ARGV[11] == 'failed' then count_run(queue, 'failed', known[1], began) end
  if known[2] then record_last_outcome(known[2], id, ARGV[11], headline) end
  record_outcome(id, '2', worker_name, execution, began, 'exc_string', encoded, '', '')
  expire_job(id, ttl, notify_dependents(id, ARGV[11] == 'failed' and 'has failed' or 'was stopped'))
end

return settle('2', 'failed_job_count', 12, store)
