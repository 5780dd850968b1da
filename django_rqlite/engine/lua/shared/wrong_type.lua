-- Deals with keys of the layout that hold a value of the wrong type. Such a mistake must not keep
-- other jobs from moving.

-- Whether the key can be used as this type ('list', 'zset', ...): it has this type or does not
-- exist.
local function usable(key, kind)
  local found = redis.call('TYPE', key).ok
  return found == kind or found == 'none'
end

-- Deletes a key of the wrong type. For keys that belong to one job alone.
local function delete_wrong_type(key, kind)
  if not usable(key, kind) then redis.call('DEL', key) end
end

-- Whether redis.pcall answered that the key has the wrong type. Checking the answer costs nothing
-- in the usual case; asking for the TYPE first costs a call each time.
local function is_wrong_type(answer)
  return type(answer) == 'table' and answer.err and string.find(answer.err, 'WRONGTYPE', 1, true)
end

-- The log message about a key of the wrong type. engine/wrong_type_keys.py has the same sentence.
local function wrong_type_message(key, kind)
  return 'the key ' .. key .. ' holds a ' .. redis.call('TYPE', key).ok .. ', not a ' .. kind
    .. '. Delete or rename it: until then jobs stay where they are, and what belongs there is '
    .. 'left out.'
end

-- Runs a command. Returns true and its answer, or false if the key has the wrong type; then nothing
-- has changed. Any other error ends the script.
local function try_command(command, key, ...)
  local answer = redis.pcall(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then return true, answer end
  if is_wrong_type(answer) then return false end
  return true, redis.call(command, key, ...)
end

-- Runs a command; if the key has the wrong type, deletes it first. For keys that belong to one job
-- or worker alone.
local function force_command(command, key, ...)
  local fitted, answer = try_command(command, key, ...)
  if fitted then return answer end
  redis.call('DEL', key)
  return redis.call(command, key, ...)
end

-- The following do nothing to a sorted set that has the wrong type.
local function score_in(key, id)
  return usable(key, 'zset') and redis.call('ZSCORE', key, id)
end

local function add_to(key, score, id)
  if usable(key, 'zset') then redis.call('ZADD', key, score, id) end
end

-- Returns whether the id was in the set.
local function remove_from(key, id)
  return usable(key, 'zset') and redis.call('ZREM', key, id) == 1
end
