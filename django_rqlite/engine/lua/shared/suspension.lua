-- Checks which queues are paused, or whether all workers are suspended.
-- Needs: keys.lua
--
-- A pause is {name of the queue, milliseconds until it ends by itself or -1}. The empty name means
-- all queues.

local function note_pause(key, name, pauses)
  local left = redis.call('PTTL', key)  -- -2: there is no such key
  if left == -2 then return false end
  pauses[#pauses + 1] = {name, left}
  return true
end

-- Both add the pause to pauses and return true, if there is one.
local function suspended(pauses)
  return note_pause(suspended_key(), '', pauses)
end

local function paused(queue, pauses)
  return note_pause(paused_key(queue), queue, pauses)
end

-- Whether there is any pause. One command for all queues.
local function anything_paused(queues)
  local keys = {suspended_key()}
  for _, queue in ipairs(queues) do keys[#keys + 1] = paused_key(queue) end
  return redis.call('EXISTS', unpack(keys)) > 0
end
