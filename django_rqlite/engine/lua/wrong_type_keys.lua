-- Reads which keys hold a value of the wrong type. Changes nothing.
-- KEYS:      1.. the keys
-- ARGV:      1.. the type that each should have
-- Returns:   {number in KEYS, type} of each key that has another type
local found = {}
for number, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= ARGV[number] and kind ~= 'none' then found[#found + 1] = {number, kind} end
end
return found
