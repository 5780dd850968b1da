-- Change:    none: ids that were noted to leave the mirror leave it
-- KEYS:      1 the mirror, 2 the sorted set of noted ids
-- ARGV:      1 prefix, 2 how many entries at the end are skipped, 3 how many before those are
--            checked
-- Returns:   {how many entries left, how many were checked, how many ids are still noted}
-- Invariant: an id leaves the mirror and the notes in one step. If a whole pass did not find an
--            id, entries left during the pass, or the id is not in the mirror. Later passes
--            look again until the note is old.
--@include keys
--@include clock
--@include failed_mirror

-- Seconds after which a note is dropped whose id no pass has found.
local PATIENCE = 300

local list, notes, behind, most = KEYS[1], KEYS[2], tonumber(ARGV[2]), tonumber(ARGV[3])
if not usable(list, 'list') or not usable(notes, 'zset') then return {0, 0, 0} end
local first = math.max(-behind - most, -redis.call('LLEN', list))
local ids = first < -behind and redis.call('LRANGE', list, first, -behind - 1) or {}
local places, found = {}, {}
if #ids > 0 then
  for i, since in ipairs(redis.call('ZMSCORE', notes, unpack(ids))) do
    if since then
      places[#places + 1] = first + i - 1
      found[#found + 1] = ids[i]
    end
  end
end
if #found > 0 then redis.call('ZREM', notes, unpack(found)) end
remove_at(list, places)
if #ids < most then redis.call('ZREMRANGEBYSCORE', notes, '-inf', '(' .. now - PATIENCE) end
return {#found, #ids, redis.call('ZCARD', notes)}
