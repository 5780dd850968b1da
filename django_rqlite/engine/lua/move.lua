-- Change:    a state -> the same state in another queue; a running job stays
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2 how many ids may be searched for, 3 queue, 4 behind and 5 most of the
--            stretch to look at (list_search.lua), 6 the queue to move to, 7.. the ids, in the
--            order of KEYS
-- Returns:   for each id 'moved', 'there' (it is in that queue already), 'started' or 'missing';
--            {queue} if nothing was changed, because the list of that queue has to be searched
-- Invariant: place and hash change in one step, and scores stay: the times at which a job is due
--            or expires do not change. If a key of the other queue has the wrong type, nothing
--            has changed.
--@include keys
--@include clock
--@include places
--@include list_search
local to = ARGV[6]
local search = new_search(tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]))
local REGISTRIES = {scheduled_key, deferred_key, failed_key, canceled_key, finished_key}

-- Each ends the script if the key has the wrong type.
redis.call('LLEN', queue_key(to))
for _, registry in ipairs(REGISTRIES) do redis.call('ZCARD', registry(to)) end

local verdicts, waiting = {}, {}
for i, job in ipairs(KEYS) do
  local id = ARGV[i + 6]
  local there = redis.call('TYPE', job).ok == 'hash'
  local fields = there and redis.call('HMGET', job, 'status', 'origin') or {}
  local status, queue = fields[1], fields[2]
  if not status or not queue then
    verdicts[i] = 'missing'
  elseif queue == to then
    verdicts[i] = 'there'
  elseif status == 'started' then
    verdicts[i] = 'started'
  elseif may_be_in_list(id, queue, status)
      and not remove_from_list(search, queue_key(queue), id) then
    verdicts[i] = {queue}
  else
    if status == 'queued' then waiting[#waiting + 1] = id end
    for _, registry in ipairs(REGISTRIES) do
      local score = score_in(registry(queue), id)
      if score then
        remove_from(registry(queue), id)
        add_to(registry(to), score, id)
      end
    end
    redis.call('HSET', job, 'origin', to)
    verdicts[i] = 'moved'
  end
end
finish_search(search)
for _, id in ipairs(waiting) do redis.call('RPUSH', queue_key(to), id) end
try_command('SADD', queues_key(), queue_key(to))
return verdicts
