-- Arrow:     any state -> (gone)
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2 how many ids may be searched for, 3 queue, 4 behind and 5 most of the
--            stretch to look on (search.lua), 6.. the ids, in the order of KEYS
-- Returns:   a list with 1 for each job that was there, 0 for each that was not, and {queue} for
--            each that was left as it is since that queue's list has to be searched for it
-- Invariant: nothing of the job stays behind: place, mirror, results and executions go together.
--            Jobs that wait for it are canceled. An execution that runs loses its hold, so its outcome will change nothing.
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
  make_usable(job, 'hash')
  local fields = redis.call('HMGET', job, 'origin', 'status')
  local queue, status = fields[1], fields[2]
  if queue and may_wait(id, queue, status) and not leave_list(search, queue_key(queue), id) then
    answers[i] = {queue}
  else
    if queue then leave_registries(id, queue, status) end
    leave_parents(id)
    forget(id)
    deleted[#deleted + 1] = id
  end
end
finish_search(search)
for _, id in ipairs(deleted) do tell_dependents(id, 'was deleted') end
return answers
