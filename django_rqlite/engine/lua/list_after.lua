-- Reads the entries of a list after an id, or the first ones if the id is not in the list. Changes
-- nothing.
-- KEYS:      1 the list
-- ARGV:      1 the id, 2 how many entries are read at most
-- Returns:   {how many entries come after those, ids...}
local first = 0
if ARGV[1] ~= '' then
  local at = redis.call('LPOS', KEYS[1], ARGV[1])
  if at then first = at + 1 end
end
local found = redis.call('LRANGE', KEYS[1], first, first + tonumber(ARGV[2]) - 1)
table.insert(found, 1, redis.call('LLEN', KEYS[1]) - first - #found)
return found
