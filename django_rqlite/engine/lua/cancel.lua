-- Arrow:     queued, scheduled or deferred -> canceled
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2 how many ids may be searched for, 3 queue, 4 behind and 5 most of the
--            stretch to look on (search.lua), 6 '1' to let the children run all the same,
--            7.. the ids, in the order of KEYS
-- Returns:   a list with 'canceled', 'already' (it was canceled before), 'missing', 'started', or
--            the state it had ended in, for each; {queue} for each that was left as it is since
--            that queue's list has to be searched
-- Invariant: the id moves in one step, and the cron entry whose last job it is learns of it. A job
--            that runs is not touched: its worker has to stop it.
--@include keys
--@include clock
--@include places
--@include list_search
--@include dependents
--@include cron_entry
local CANCELABLE = {queued = true, scheduled = true, deferred = true, created = true}

local search = new_search(tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]))
local verdicts, canceled = {}, {}
for i, job in ipairs(KEYS) do
  local id = ARGV[i + 6]
  local there = redis.call('TYPE', job).ok == 'hash'
  local fields = there and redis.call('HMGET', job, 'status', 'origin', 'x_cron') or {}
  local status, queue = fields[1], fields[2]
  if not status or not queue then
    verdicts[i] = 'missing'
  elseif not CANCELABLE[status] then
    verdicts[i] = status == 'canceled' and 'already' or status
  elseif may_wait(id, queue, status) and not leave_list(search, queue_key(queue), id) then
    verdicts[i] = {queue}
  else
    leave_registries(id, queue, status)
    leave_parents(id)
    redis.call('DEL', dependencies_key(id))
    enter(canceled_key(queue), now, id)
    redis.call('HSET', job, 'status', 'canceled', 'ended_at', stamp(now), 'x_span', now_micro)
    redis.call('EXPIRE', job, CANCELED_TTL)
    redis.call('EXPIRE', results_key(id), CANCELED_TTL)  -- of the runs before a retry or a repeat
    if fields[3] then end_last(fields[3], id, 'canceled', '') end
    canceled[#canceled + 1] = id
    verdicts[i] = 'canceled'
  end
end
finish_search(search)
local ending = 'was canceled'
if ARGV[6] == '1' then ending = '' end
for _, id in ipairs(canceled) do tell_dependents(id, ending) end
return verdicts
