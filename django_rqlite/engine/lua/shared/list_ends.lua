-- Finds ids in lists that may be long, and removes them.

-- Entries at either end of a list that are searched; about as many as Redis keeps in one node.
local NEAR = 200

-- Lists up to this length are searched completely: it costs no more.
local SHORT = 1000

local function is_short(list) return redis.call('LLEN', list) <= SHORT end

-- How often the id occurs near one end. side: 1 for the beginning, -1 for the end.
local function count_near(list, id, side)
  return #redis.call('LPOS', list, id, 'RANK', side, 'COUNT', 0, 'MAXLEN', NEAR)
end

-- Whether the id is near an end of the list, or anywhere in a short one.
local function is_near_an_end(list, id)
  if is_short(list) then return redis.call('LPOS', list, id) ~= false end
  return count_near(list, id, 1) > 0 or count_near(list, id, -1) > 0
end

-- Removes the id from a list if the list is short or the id is near an end. Returns false if the id
-- may be in the middle.
local function remove_near_an_end(list, id)
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

-- Removes the entries at these positions, counted from the end of the list by -1, -2, ... in one
-- pass. Nothing may have been pushed or removed since the positions were read.
local function remove_at(list, places)
  if #places == 0 then return end
  local farthest = 0
  for _, place in ipairs(places) do
    redis.call('LSET', list, place, '')
    farthest = math.max(farthest, -place)
  end
  local side = farthest * 2 < redis.call('LLEN', list) and -1 or 1
  redis.call('LREM', list, side * #places, '')
end
