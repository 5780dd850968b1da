-- Removes many ids from the lists of their queues.
-- Needs: keys.lua
--@include list_ends
--
-- A search of a long list takes time, so the caller says how many a call may make. Ids that need
-- more searches stay. The caller then reads the list (engine/list_removal.py) and calls
-- again with the stretch of the list on which it has seen the ids.

-- allowed: how many searches of a long list may be made. queue: the queue of the stretch, or ''.
-- behind: how many entries come after the stretch; most: how many it has at most.
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

-- Removes the id from the list. Returns false if that needs a search that is not allowed. Ids on
-- the stretch are removed by finish_search.
local function remove_from_list(search, list, id)
  if search.list then
    local place = search.list == list and search.at and search.at[id]
    if not place then return false end
    search.at[id] = nil
    search.found[#search.found + 1] = place
    return true
  end
  if remove_near_an_end(list, id) then return true end
  if search.allowed == 0 then return false end
  search.allowed = search.allowed - 1
  redis.call('LREM', list, 0, id)
  return true
end

-- Removes the ids that were found on the stretch. Nothing may be pushed before.
local function finish_search(search)
  if search.list then remove_at(search.list, search.found) end
end
