-- Deals with an older job that has the id, or the unique key, of a new one.
-- Needs: keys.lua, clock.lua
--@include places
--@include unique
--@include job_argument

-- Why a new job is refused, as the script's answer, or nil. {'running', worker}: a job with this id
-- runs; {'exists', status}: there is a job with this id, and there may be no other; {'held', id}:
-- that job has the unique key and has not ended.
-- status: of the job with this id, or false. only_one: whether no other job may have this id.
-- first: where in ARGV the new job's fields and values begin.
local function refusal(id, status, only_one, first)
  if status == 'started' then
    return {'running', redis.call('HGET', job_key(id), 'worker_name') or ''}
  end
  if only_one and redis.call('EXISTS', job_key(id)) == 1 then
    return {'exists', redis.call('HGET', job_key(id), 'status') or '?'}
  end
  local key = job_argument(first, 'x_unique')
  local holder = key and holder_of(key)
  return holder and {'held', holder} or nil
end

-- Removes the older job's id from its places. queue: where to look if the job does not say.
-- Without a hash the id may still be in a place: the hash may have expired before.
local function remove_older_job(id, queue, status)
  remove_from_places(id, redis.call('HGET', job_key(id), 'origin') or queue, status)
end
