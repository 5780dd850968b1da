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

-- Whether a redis.pcall answered that something else stands under the key. Asking so costs nothing
-- where all is well; asking TYPE first costs a call each time.
local function misfits(answer)
  return type(answer) == 'table' and answer.err and string.find(answer.err, 'WRONGTYPE', 1, true)
end

-- What is wrong with a key, for the log; as engine/foreign.py says it.
local function misfit(key, kind)
  return 'the key ' .. key .. ' holds a ' .. redis.call('TYPE', key).ok .. ', not a ' .. kind
    .. '. Delete or rename it: until then jobs stay where they are, and what belongs there is left out.'
end

-- Runs a command. Returns true and its answer; or false where something else stands under the key,
-- and nothing has changed. Any other error ends the script.
local function fits(command, key, ...)
  local answer = redis.pcall(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then return true, answer end
  if misfits(answer) then return false end
  return true, redis.call(command, key, ...)
end

-- A command on a key that belongs to one job or worker alone: what does not fit is deleted first.
local function on_own(command, key, ...)
  local fitted, answer = fits(command, key, ...)
  if fitted then return answer end
  redis.call('DEL', key)
  return redis.call(command, key, ...)
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
