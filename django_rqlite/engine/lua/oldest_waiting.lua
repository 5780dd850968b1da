-- Since when the next job of each queue has been waiting. Changes nothing.
-- KEYS:      of each queue its list
-- ARGV:      1 prefix
-- Returns:   of each queue what its first job says of when it was enqueued; nothing where none waits,
--            or it does not say, or either key holds something else
--@include keys
local found = {}
for number, list in ipairs(KEYS) do
  local first = redis.pcall('LINDEX', list, 0)
  local since = type(first) == 'string' and redis.pcall('HGET', job_key(first), 'enqueued_at')
  found[number] = type(since) == 'string' and since
end
return found
