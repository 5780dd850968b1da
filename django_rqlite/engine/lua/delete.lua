-- Change:    any state -> (gone)
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2 how many ids may be searched for, 3 queue, 4 behind and 5 most of the
--            stretch to look at (list_search.lua), 6.. the ids, in the order of KEYS
-- Returns:   for each id 1 if there was a job, else 0; {queue} if nothing was changed, because
--            the list of that queue has to be searched
-- Invariant: place, mirror, results and executions of the job go in one step. Its dependents are
--            canceled. A running execution no longer holds the job, so its outcome is not
--            stored.
--@include keys
--@include clock
--@include places
--@include list_search
--@include dependents
local search = new_search(tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]))
local answers, deleted = {}, {}
for i, job in ipairs(KEYS) do
  local id = ARGV[i + 5]
  answers[i] = redis.call('EXISTS', job)
  delete_wrong_type(job, 'hash')
  local fields = redis.call('HMGET', job, 'origin', 'status')
  local queue, status = fields[1], fields[2]
  if queue and may_be_in_list(id, queue, status)
      and not remove_from_list(search, queue_key(queue), id) then
    answers[i] = {queue}
  else
    if queue then remove_from_registries(id, queue, status) end
    remove_from_parents(id)
    delete_job_keys(id)
    deleted[#deleted + 1] = id
  end
end
finish_search(search)
for _, id in ipairs(deleted) do notify_dependents(id, 'was deleted') end
return answers
