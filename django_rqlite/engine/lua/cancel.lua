-- Arrow:     queued, scheduled or deferred -> canceled
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2 '1' to let the children run all the same, 3.. the ids, in the order of KEYS
-- Returns:   a list with 'canceled', 'missing', 'started', or the state it had ended in, for each
-- Invariant: the id moves in one step. A job that runs is not touched: its worker has to stop it.
--@include keys
--@include clock
--@include places
--@include dependents
local verdicts = {}
for i, job in ipairs(KEYS) do
  local id = ARGV[i + 2]
  local fields = redis.call('HMGET', job, 'status', 'origin')
  local status, queue = fields[1], fields[2]
  if not status or not queue then
    verdicts[i] = 'missing'
  elseif status == 'queued' or status == 'scheduled' or status == 'deferred' or status == 'created' then
    leave_places(id, queue, status)
    leave_parents(id)
    redis.call('DEL', dependencies_key(id))
    enter(canceled_key(queue), now, id)
    redis.call('HSET', job, 'status', 'canceled', 'ended_at', stamp(now))
    redis.call('EXPIRE', job, CANCELED_TTL)
    redis.call('EXPIRE', results_key(id), CANCELED_TTL)  -- of the runs before a retry or a repeat
    local ending = 'was canceled'
    if ARGV[2] == '1' then ending = nil end
    tell_dependents(id, ending)
    verdicts[i] = 'canceled'
  else
    verdicts[i] = status
  end
end
return verdicts
