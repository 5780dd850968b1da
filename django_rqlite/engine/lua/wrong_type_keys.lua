-- Which keys hold something other than they should. Changes nothing.
-- KEYS:      1.. the keys
-- ARGV:      1.. the type that each should have
-- Returns:   of each key that holds something else {its place in KEYS, the type it has}
local found = {}
for number, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= ARGV[number] and kind ~= 'none' then found[#found + 1] = {number, kind} end
end
return found
