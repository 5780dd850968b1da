-- What must not be taken from at present: any queue (suspended), or one (paused).
-- Needs: keys.lua
--
-- A pause is {name of the queue, milliseconds until it ends by itself or -1}; the empty name
-- stands for all queues of the connection.

local function noted(key, name, pauses)
  local left = redis.call('PTTL', key)  -- -2: there is no such key
  if left == -2 then return false end
  pauses[#pauses + 1] = {name, left}
  return true
end

-- Both give whether it is so, and note it among the pauses.
local function suspended(pauses)
  return noted(suspended_key(), '', pauses)
end

local function paused(queue, pauses)
  return noted(paused_key(queue), queue, pauses)
end

-- Whether there is any pause at all, which one call tells.
local function anything_paused(queues)
  local keys = {suspended_key()}
  for _, queue in ipairs(queues) do keys[#keys + 1] = paused_key(queue) end
  return redis.call('EXISTS', unpack(keys)) > 0
end
