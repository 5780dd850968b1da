-- The records of cron entries.

-- Seconds that an entry's record, and its place in the list, outlive its next tick and the last
-- announcement: long enough that a tick missed while every worker was down is still noticed.
local ENTRY_KEPT = 30 * 86400

local function keep_entry(key, following)
  redis.call('EXPIRE', key, math.max(0, following - now) + ENTRY_KEPT)
end
