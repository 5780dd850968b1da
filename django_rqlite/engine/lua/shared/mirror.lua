-- The list of all failed jobs that RQ 0.5 shows: a mirror of the registries, never a place.
-- Needs: keys.lua
--@include foreign

local function mirror(id)
  local list = failed_mirror_key()
  if usable(list, 'list') then redis.call('RPUSH', list, id) end
end

-- Those that are taken back are mostly the latest, at the end; those that expire, at the beginning.
local function unmirror(id, from_the_beginning)
  local list = failed_mirror_key()
  if usable(list, 'list') then redis.call('LREM', list, from_the_beginning and 1 or -1, id) end
end
