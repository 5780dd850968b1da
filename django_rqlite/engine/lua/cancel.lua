-- Change:    queued, scheduled or deferred -> canceled
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2 how many ids may be searched for, 3 queue, 4 behind and 5 most of the
--            stretch to look at (list_search.lua), 6 '1' to let the dependents run nevertheless,
--            7.. the ids, in the order of KEYS
-- Returns:   for each id 'canceled', 'already' (it was canceled before), 'missing', 'started', or
--            the state in which it has ended; {queue} if nothing was changed, because the list
--            of that queue has to be searched
-- Invariant: the id moves in one step. If the job is the last one of a cron entry, the entry's
--            record changes too. A running job does not change: its worker has to stop it.
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
  elseif may_be_in_list(id, queue, status)
      and not remove_from_list(search, queue_key(queue), id) then
    verdicts[i] = {queue}
  else
    remove_from_registries(id, queue, status)
    remove_from_parents(id)
    redis.call('DEL', dependencies_key(id))
    add_to(canceled_key(queue), now, id)
    redis.call('HSET', job, 'status', 'canceled', 'ended_at', timestamp(now), 'x_span', now_micro)
    redis.call('EXPIRE', job, CANCELED_TTL)
    redis.call('EXPIRE', results_key(id), CANCELED_TTL)  -- of the runs before a retry or a repeat
    if fields[3] then record_last_outcome(fields[3], id, 'canceled', '') end
    canceled[#canceled + 1] = id
    verdicts[i] = 'canceled'
  end
end
finish_search(search)
local ending = 'was canceled'
if ARGV[6] == '1' then ending = '' end
for _, id in ipairs(canceled) do notify_dependents(id, ending) end
return verdicts
