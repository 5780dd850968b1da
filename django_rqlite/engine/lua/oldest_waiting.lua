-- Reads since when the next job of each queue has been waiting. Changes nothing.
-- KEYS:      1.. the lists of the queues
-- ARGV:      1 prefix
-- Returns:   for each queue enqueued_at of its first job; nothing if none waits, if the job does
--            not say, or if a key has the wrong type
--@include keys
local found = {}
for number, list in ipairs(KEYS) do
  local first = redis.pcall('LINDEX', list, 0)
  local since = type(first) == 'string' and redis.pcall('HGET', job_key(first), 'enqueued_at')
  found[number] = type(since) == 'string' and since
end
return found
