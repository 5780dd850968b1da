-- Arrow:     finished -> (gone), failed -> (gone): ids whose jobs have expired leave their registry
-- KEYS:      1 the queue's finished registry, 2 its failed registry
-- ARGV:      1 prefix, 2 how many ids to take from each at the most
-- Returns:   how many ids left
-- Invariant: only what has expired goes. Failed jobs kept for ever have the score -1 and stay.
--@include keys
--@include clock
--@include mirror
local trimmed = 0
for i = 1, 2 do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[i], 0, now, 'LIMIT', 0, ARGV[2])) do
    redis.call('ZREM', KEYS[i], id)
    if i == 2 then unmirror(id, true) end
    trimmed = trimmed + 1
  end
end
return trimmed
