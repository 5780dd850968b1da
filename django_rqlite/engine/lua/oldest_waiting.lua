-- Reads when the next job of each queue was enqueued. Changes nothing.
-- KEYS:      1.. the lists of the queues
-- ARGV:      1 prefix
-- Returns:   for each queue enqueued_at of its first job; nothing if no job waits, if the field is
--            missing, or if a key has the wrong type
--@include keys
local found = {}
for number, list in ipairs(KEYS) do
  local first = redis.pcall('LINDEX', list, 0)
  local since = type(first) == 'string' and redis.pcall('HGET', job_key(first), 'enqueued_at')
  found[number] = type(since) == 'string' and since
end
return found
