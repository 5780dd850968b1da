-- Finding ids in lists that may be long, and taking them out.

-- Entries at either end of a list that are looked at; about as many as Redis keeps in one piece.
local NEAR = 200

-- Entries of a list that is so short that looking at all of them costs no more.
local SHORT = 1000

local function is_short(list) return redis.call('LLEN', list) <= SHORT end

-- How often the id stands near one end; side: 1 for the beginning, -1 for the end.
local function count_near(list, id, side)
  return #redis.call('LPOS', list, id, 'RANK', side, 'COUNT', 0, 'MAXLEN', NEAR)
end

-- Whether the id stands near an end of the list, or anywhere in a short one.
local function stands_near_an_end(list, id)
  if is_short(list) then return redis.call('LPOS', list, id) ~= false end
  return count_near(list, id, 1) > 0 or count_near(list, id, -1) > 0
end

-- Takes the id out of a list that is short, or where it stands near an end. Returns false where it
-- may stand in the middle.
local function leave_near_an_end(list, id)
  if is_short(list) then
    redis.call('LREM', list, 0, id)
    return true
  end
  for side = 1, -1, -2 do
    local count = count_near(list, id, side)
    if count > 0 then
      redis.call('LREM', list, side * count, id)
      return true
    end
  end
  return false
end

-- Takes the entries at these places, counted from the end of the list by -1, -2, ..., out at once.
-- Nothing may have been pushed or taken since the places were read.
local function take_out(list, places)
  if #places == 0 then return end
  local farthest = 0
  for _, place in ipairs(places) do
    redis.call('LSET', list, place, '')
    farthest = math.max(farthest, -place)
  end
  local side = farthest * 2 < redis.call('LLEN', list) and -1 or 1
  redis.call('LREM', list, side * #places, '')
end
