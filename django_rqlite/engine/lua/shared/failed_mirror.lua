-- The list of all failed jobs that RQ 0.5 shows: a mirror of the registries, never a place.
-- Needs: keys.lua, clock.lua
--@include wrong_type
--@include list_ends
--
-- An id that no longer belongs there and can't be taken out at once, since the list is long and it
-- does not stand near an end, is noted; unmirror_noted.lua takes out all that were noted in one pass.

-- Seconds for which such notes are kept if nobody sweeps.
local NOTES_TTL = 86400

local function mirror(id)
  local list, notes = failed_mirror_key(), unmirrored_key()
  if not usable(list, 'list') then return end
  local new = redis.call('HSET', job_key(id), 'x_mirrored', '1') == 1
  -- What is noted stands there still, and belongs there again.
  if usable(notes, 'zset') and redis.call('ZREM', notes, id) == 1 then return end
  -- RQ requeues without a look at the mirror.
  if not new then redis.call('LREM', list, 0, id) end
  redis.call('RPUSH', list, id)
end

-- Whether the job was put there, as far as its hash tells. What RQ's workers fail is not.
local function is_mirrored(id)
  return redis.call('HEXISTS', job_key(id), 'x_mirrored') == 1
end

-- For an id whose job is about to lose its mark, or has. mirrored: whether it is known to be there.
local function unmirror(id, mirrored)
  local list, notes = failed_mirror_key(), unmirrored_key()
  if not usable(list, 'list') or leave_near_an_end(list, id) or not mirrored then return end
  make_usable(notes, 'zset')
  redis.call('ZADD', notes, now, id)
  redis.call('EXPIRE', notes, NOTES_TTL)
end
