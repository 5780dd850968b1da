-- Reads the members of a sorted set after a position, even if the member there is gone. Changes
-- nothing.
-- KEYS:      1 the sorted set
-- ARGV:      1 score and 2 member of the position (both '': from the beginning), 3 how many members
--            are read at most
-- Returns:   {member, score, ...}
local score, member = ARGV[1], ARGV[2]

-- Compares bytes, as Redis does. Lua's < depends on the server's locale.
local function is_before(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then return a < b end
  end
  return #one < #other
end

local first = 0
if score ~= '' then
  -- Binary search among the members with the same score.
  first = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. score)
  local last = redis.call('ZCOUNT', KEYS[1], '-inf', score)
  while first < last do
    local middle = math.floor((first + last) / 2)
    local there = redis.call('ZRANGE', KEYS[1], middle, middle)[1]
    if is_before(member, there) then last = middle else first = middle + 1 end
  end
end
return redis.call('ZRANGE', KEYS[1], first, first + tonumber(ARGV[3]) - 1, 'WITHSCORES')
