-- How a job's id is found in the list of its queue, and leaves it, in a script for many ids.
-- Needs: keys.lua
--@include list_ends
--
-- A search of a long list takes time, so the caller says how many a call may make. What it may not
-- search for is left as it is; the caller reads the list, and says on which stretch the ids stand.

-- allowed: how many times a list may be searched to its end. queue: of the stretch, or ''.
-- behind, most: the stretch has so many entries after it, and so many on it at the most.
local function new_search(allowed, queue, behind, most)
  local search = {allowed = allowed, found = {}}
  if queue == '' then return search end
  search.list = queue_key(queue)
  if redis.call('TYPE', search.list).ok ~= 'list' then return search end
  local first = math.max(-behind - most, -redis.call('LLEN', search.list))
  search.at = {}
  for i, id in ipairs(redis.call('LRANGE', search.list, first, -behind - 1)) do
    search.at[id] = first + i - 1
  end
  return search
end

-- Takes the id out of the list; false where that needs a search that is not allowed. What stands
-- on the stretch leaves the list with finish_search.
local function leave_list(search, list, id)
  if search.list then
    local place = search.list == list and search.at and search.at[id]
    if not place then return false end
    search.at[id] = nil
    search.found[#search.found + 1] = place
    return true
  end
  if leave_near_an_end(list, id) then return true end
  if search.allowed == 0 then return false end
  search.allowed = search.allowed - 1
  redis.call('LREM', list, 0, id)
  return true
end

-- Until this was called, nothing may be pushed.
local function finish_search(search)
  if search.list then take_out(search.list, search.found) end
end
