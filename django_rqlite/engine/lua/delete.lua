-- Arrow:     any state -> (gone)
-- KEYS:      1.. the hashes of the jobs
-- ARGV:      1 prefix, 2.. the ids, in the order of KEYS
-- Returns:   a list with 1 for each job that was there, 0 for each that was not
-- Invariant: nothing of the job stays behind: place, mirror, results and executions go together.
--            Jobs that wait for it are canceled. An execution that runs loses its hold, so its outcome will change nothing.
--@include keys
--@include clock
--@include places
--@include dependents
local found = {}
for i, job in ipairs(KEYS) do
  local id = ARGV[i + 1]
  found[i] = redis.call('EXISTS', job)
  make_usable(job, 'hash')
  local fields = redis.call('HMGET', job, 'origin', 'status')
  if fields[1] then leave_places(id, fields[1], fields[2]) end
  leave_parents(id)
  forget(id)
  tell_dependents(id, 'was deleted')
  redis.call('DEL', dependents_key(id))
end
return found
