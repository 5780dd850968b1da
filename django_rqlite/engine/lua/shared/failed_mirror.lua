-- Maintains the list of all failed jobs that RQ 0.5 shows: a mirror of the registries, not a place.
-- Needs: keys.lua, clock.lua
--@include wrong_type
--@include list_ends
--
-- An id that no longer belongs there, but is in the middle of a long list, is only noted.
-- remove_from_failed_mirror.lua removes all noted ids in one pass.

-- Seconds for which the notes are kept if no worker removes the ids.
local NOTES_TTL = 86400

local function add_to_mirror(id)
  local list, notes = failed_mirror_key(), unmirrored_key()
  if not usable(list, 'list') then return end
  local new = redis.call('HSET', job_key(id), 'x_mirrored', '1') == 1
  -- A noted id is still in the list, and belongs there again.
  if usable(notes, 'zset') and redis.call('ZREM', notes, id) == 1 then return end
  -- RQ requeues jobs without changing the mirror.
  if not new then redis.call('LREM', list, 0, id) end
  redis.call('RPUSH', list, id)
end

-- Whether the job is in the mirror, according to its hash. Jobs that RQ's workers fail are not.
local function is_mirrored(id)
  return redis.call('HEXISTS', job_key(id), 'x_mirrored') == 1
end

-- Removes an id from the mirror, or notes it. mirrored: whether it is known to be in the mirror.
local function remove_from_mirror(id, mirrored)
  local list, notes = failed_mirror_key(), unmirrored_key()
  if not usable(list, 'list') or remove_near_an_end(list, id) or not mirrored then return end
  delete_wrong_type(notes, 'zset')
  redis.call('ZADD', notes, now, id)
  redis.call('EXPIRE', notes, NOTES_TTL)
end
