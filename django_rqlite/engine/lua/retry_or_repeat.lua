-- Change:    started -> queued or scheduled (a retry or a repeat), and queued -> started for the
--            worker's next job
-- KEYS:      1 the job's hash, 2.. the lists of the queues to claim from
-- ARGV:      1 prefix, 2 worker, 3 id, 4 queue, 5 execution, 6 the worker's name in the result,
--            7 delay in seconds (0: the job enters its queue at once), 8 '1' to push at the front,
--            9 the job's field that counts what is left, 10 by how much it changes,
--            11 the job's field that counts attempts or repeats, for the choice of intervals,
--            12 type of the entry in the stream of results, 13 its payload's field, 14 its payload,
--            15 its signature, or '', 16 one line that names the error, or '',
--            17 the worker's counter, 18 why the payload is not the value that the job returned
--            ('': it is),
--            19 execution to claim the next job with ('': claim none), 20 lease in seconds,
--            21.. the names of the queues to claim from
-- Returns:   as settle.lua
-- Invariant: the execution ends and the id enters its next place in one step; the outcome of this
--            execution is kept in the stream. If the key of that place has the wrong type, the id
--            stays in the started registry meanwhile.
--@include keys
--@include clock
--@include throughput
--@include schedule
--@include settle
local id, queue, execution, worker_name = ARGV[3], ARGV[4], ARGV[5], ARGV[6]

-- Changes a counter of the job. A counter that is not a number counts as 0.
local function add(field, change)
  if type(redis.pcall('HINCRBY', KEYS[1], field, change)) ~= 'number' then
    redis.call('HSET', KEYS[1], field, change)
  end
end

local function store(began)
  local enqueued = redis.call('HGET', KEYS[1], 'enqueued_at')
  add(ARGV[9], ARGV[10])
  add(ARGV[11], 1)
  local delay, stays = tonumber(ARGV[7]), nil
  if not enqueue_or_schedule(queue, id, delay, ARGV[8] == '1') then
    stays = now + delay
    redis.call('HSET', KEYS[1], 'status', delay > 0 and 'scheduled' or 'queued')
  end
  if ARGV[16] ~= '' then redis.call('HSET', KEYS[1], 'x_error', ARGV[16]) end
  redis.call('HDEL', KEYS[1], 'started_at', 'last_heartbeat', 'worker_name')
  end_execution(queue, id, execution, stays)
  count_run(queue, ARGV[17] == 'successful_job_count' and 'done' or 'failed', enqueued, began)
  record_outcome(id, ARGV[12], worker_name, execution, began, ARGV[13], ARGV[14], ARGV[15],
    ARGV[18])
end

return settle(ARGV[12], ARGV[17], 19, store)
