-- Whether a new job may be, where it is to be the only one of its id, or of its unique key.
-- Needs: keys.lua
--@include wrong_type
--@include job_argument

local ENDED = {finished = true, failed = true, stopped = true, canceled = true}

-- The id that holds a key. Its job must be there, be still to run or running, and bear the key: a
-- job that has ended or is gone holds nothing, whoever ended it, so nobody need release the key;
-- and one that is requeued holds it again, if nobody has taken it meanwhile.
local function holder_of(key)
  delete_wrong_type(unique_key(key), 'string')
  local id = redis.call('GET', unique_key(key))
  if not id or redis.call('TYPE', job_key(id)).ok ~= 'hash' then return nil end
  local fields = redis.call('HMGET', job_key(id), 'status', 'x_unique')
  return fields[2] == key and not ENDED[fields[1]] and id or nil
end

-- {'exists', status} where the id is to be the only one and is not, {'held', id} where another job
-- holds the unique key, or nil.
local function refusal(id, only_one, first)
  if only_one and redis.call('EXISTS', job_key(id)) == 1 then
    return {'exists', redis.call('HGET', job_key(id), 'status') or '?'}
  end
  local key = job_argument(first, 'x_unique')
  local holder = key and holder_of(key)
  return holder and {'held', holder} or nil
end

local function set_unique(id, key, seconds)
  redis.call('SET', unique_key(key), id, 'EX', seconds)
end

-- The key of a job that is about to be deleted goes with it, if it is still that job's.
local function delete_unique(id, key)
  if usable(unique_key(key), 'string') and redis.call('GET', unique_key(key)) == id then
    redis.call('DEL', unique_key(key))
  end
end
