-- The records of cron entries.
-- Needs: keys.lua, clock.lua

-- Seconds that an entry's record, and its place in the list, outlive its next tick and the last
-- announcement: long enough that a tick missed while every worker was down is still noticed.
local ENTRY_KEPT = 30 * 86400

-- Unix seconds that a record says, or nil. Others may have written anything, such as "nan" or four
-- hundred digits; no tick lies beyond the year 5000.
local function unix_seconds(text)
  local found = tonumber(text or '')
  if found and found >= 0 and found < 1e11 then return found end
end

local function keep_entry(key, following)
  redis.call('EXPIRE', key, math.max(0, following - now) + ENTRY_KEPT)
end

-- Makes a job that has just entered its queue the entry's last one, of which nothing is known yet.
local function begin_last(key, id)
  redis.call('HSET', key, 'last_job', id)
  redis.call('HDEL', key, 'last_outcome', 'last_ended_at', 'last_error')
end

-- Bytes of an error's headline that a record keeps: no headline that a worker makes is longer.
local MOST_OF_ERROR = 1200

-- Writes down how a job ended, for the entry that it names: its own hash is gone long before
-- somebody asks. Only the entry's last job is told of, whichever ends last; and where the entry is
-- gone, or foreign data stands in its place, this is left out.
--@rarely end_last
local function end_last(name, id, outcome, headline)
  local key = cron_entry_key(name)
  if redis.pcall('HGET', key, 'last_job') ~= id then return end
  if #headline > MOST_OF_ERROR then
    -- No character is cut in two.
    headline = string.gsub(string.sub(headline, 1, MOST_OF_ERROR), '[\192-\255]?[\128-\191]*$', '')
  end
  redis.call('HSET', key, 'last_outcome', outcome, 'last_ended_at', now, 'last_error', headline)
end
