-- Jobs whose ids were minted for the call that enqueues them, and which are tied to nothing: nothing
-- of them can be anywhere, so there is nothing to look for and to clear away.

-- Puts ids into a queue's list, and that into the set of queues. Should foreign data stand under one
-- of the keys, this ends the script while nothing has changed.
local function push_ids(list, queues, at_front, ids)
  redis.call(at_front == '1' and 'LPUSH' or 'RPUSH', list, unpack(ids))
  if type(redis.pcall('SADD', queues, list)) == 'table' then
    for _ = 1, #ids do redis.call(at_front == '1' and 'LPOP' or 'RPOP', list) end
    redis.call('SADD', queues, list)
  end
end

-- first, last: where in ARGV its fields and values stand.
local function write_new(key, queue, at, ttl, first, last)
  redis.call('HSET', key, 'origin', queue, 'status', 'queued', 'created_at', at,
    'enqueued_at', at, unpack(ARGV, first, last))
  if ttl ~= '' then redis.call('EXPIRE', key, ttl) end
end
