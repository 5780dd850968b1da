-- Maintains the unique keys of jobs.
-- Needs: keys.lua
--@include wrong_type

local ENDED = {finished = true, failed = true, stopped = true, canceled = true}

-- The id of the job that holds a unique key, or nil. Only a job that exists, has the key and has
-- not ended holds it. So no script has to release a key when a job ends, and a requeued job
-- holds its key again, unless another job has taken it.
local function holder_of(key)
  delete_wrong_type(unique_key(key), 'string')
  local id = redis.call('GET', unique_key(key))
  if not id or redis.call('TYPE', job_key(id)).ok ~= 'hash' then return nil end
  local fields = redis.call('HMGET', job_key(id), 'status', 'x_unique')
  return fields[2] == key and not ENDED[fields[1]] and id or nil
end

local function set_unique(id, key, seconds)
  redis.call('SET', unique_key(key), id, 'EX', seconds)
end

-- Deletes the unique key of a job that will be deleted, if the key is still that job's.
local function delete_unique(id, key)
  if usable(unique_key(key), 'string') and redis.call('GET', unique_key(key)) == id then
    redis.call('DEL', unique_key(key))
  end
end
