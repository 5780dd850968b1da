-- What to do where data of another type stands under a key of the layout: somebody's mistake must
-- not keep every other job from moving.

-- Whether the key can be used as what it should be: 'list', 'zset', ...
local function usable(key, kind)
  local found = redis.call('TYPE', key).ok
  return found == kind or found == 'none'
end

-- For a key that belongs to one job alone: what does not fit is deleted.
local function make_usable(key, kind)
  if not usable(key, kind) then redis.call('DEL', key) end
end

-- Sorted sets of a queue, left alone where they are something else.
local function stands_in(key, id)
  return usable(key, 'zset') and redis.call('ZSCORE', key, id)
end

local function enter(key, score, id)
  if usable(key, 'zset') then redis.call('ZADD', key, score, id) end
end

-- Whether it was there.
local function leave(key, id)
  return usable(key, 'zset') and redis.call('ZREM', key, id) == 1
end
