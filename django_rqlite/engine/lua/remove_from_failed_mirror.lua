-- Arrow:     none: ids that were noted to leave the mirror leave it
-- KEYS:      1 the mirror, 2 the sorted set of what was noted
-- ARGV:      1 prefix, 2 how many entries to pass over at the end, 3 how many to look at before those
-- Returns:   {how many entries left, how many were looked at, how many ids are still noted}
-- Invariant: an id leaves the mirror and the notes in one step. What a whole pass has not found was
--            missed, since entries left meanwhile, or is not there: later passes look again, until
--            the note is old.
--@include keys
--@include clock
--@include failed_mirror

-- Seconds after which a note that no pass could serve is dropped.
local PATIENCE = 300

local list, notes, behind, most = KEYS[1], KEYS[2], tonumber(ARGV[2]), tonumber(ARGV[3])
if not usable(list, 'list') or not usable(notes, 'zset') then return {0, 0, 0} end
local first = math.max(-behind - most, -redis.call('LLEN', list))
local ids = first < -behind and redis.call('LRANGE', list, first, -behind - 1) or {}
local places, found = {}, {}
if #ids > 0 then
  for i, noted in ipairs(redis.call('ZMSCORE', notes, unpack(ids))) do
    if noted then
      places[#places + 1] = first + i - 1
      found[#found + 1] = ids[i]
    end
  end
end
if #found > 0 then redis.call('ZREM', notes, unpack(found)) end
take_out(list, places)
if #ids < most then redis.call('ZREMRANGEBYSCORE', notes, '-inf', '(' .. now - PATIENCE) end
return {#found, #ids, redis.call('ZCARD', notes)}
