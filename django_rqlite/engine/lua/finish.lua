-- Change:    started -> finished, and queued -> started for the worker's next job
-- KEYS:      1 the job's hash, 2.. the lists of the queues to claim from
-- ARGV:      1 prefix, 2 worker, 3 id, 4 queue, 5 execution, 6 the worker's name in the result,
--            7 result_ttl in seconds (-1: for ever, 0: nothing is kept),
--            8 the result serialized, 9 its signature, 10 the result in base64
--              (each is '' if the job returned None: RQ 2.12 leaves the field out),
--            11 why that is not the value that the job returned ('': it is),
--            12 execution to claim the next job with ('': claim none), 13 lease in seconds,
--            14.. the names of the queues to claim from
-- Returns:   as settle.lua
-- Invariant: if the execution no longer holds the job, the job does not change. Otherwise the
--            outcome is stored, the id moves, the dependents are released, and the record of the
--            cron entry whose last job it is gets the outcome, in one step. If the key of the
--            finished registry has the wrong type, the id stays in the started registry meanwhile.
--@include keys
--@include clock
--@include throughput
--@include cron_entry
--@include places
--@include dependents
--@include settle
local id, queue, execution, worker_name = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local ttl, result, signature, encoded = tonumber(ARGV[7]), ARGV[8], ARGV[9], ARGV[10]

-- For a result_ttl of 0.
--@rarely keep_nothing
local function keep_nothing()
  remove_from_places(id, queue, 'started')
  delete_job_keys(id)
end

local function store(began)
  local known = redis.call('HMGET', KEYS[1], 'enqueued_at', 'x_cron')
  local placed = true
  if ttl ~= 0 then
    placed = try_command('ZADD', finished_key(queue), ttl < 0 and '+inf' or now + ttl, id)
    redis.call('HSET', KEYS[1], 'status', 'finished', 'ended_at', timestamp(now), 'ttl', '-1',
      'x_span', span_since(began))
    if result ~= '' then
      redis.call('HSET', KEYS[1], 'result', result, 'x_sig_result', signature)
    end
  end
  end_execution(queue, id, execution, not placed and now)
  count_run(queue, 'done', known[1], began)
  if known[2] then record_last_outcome(known[2], id, 'finished', '') end
  if ttl == 0 then
    keep_nothing()
    notify_dependents(id, '')
  else
    record_outcome(id, '1', worker_name, execution, began, 'return_value', encoded, signature,
      ARGV[11])
    notify_dependents(id, '')
    expire_job(id, ttl, false)
  end
end

return settle('1', 'successful_job_count', 12, store)
