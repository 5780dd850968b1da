-- Writes the records of cron entries.
-- Needs: keys.lua, clock.lua

-- Seconds for which an entry's record, and its place in the list, outlive its next tick and the
-- last announcement. For that long, workers notice a tick that was missed while all of
-- them were down.
local ENTRY_KEPT = 30 * 86400

-- Unix seconds in a field of a record, or nil. Other tools may have written anything, such as
-- "nan" or four hundred digits. No tick is later than the year 5000.
local function unix_seconds(text)
  local found = tonumber(text or '')
  if found and found >= 0 and found < 1e11 then return found end
end

local function expire_entry(key, following)
  redis.call('EXPIRE', key, math.max(0, following - now) + ENTRY_KEPT)
end

-- Makes a job that has just entered its queue the entry's last job, without an outcome.
local function set_last_job(key, id)
  redis.call('HSET', key, 'last_job', id)
  redis.call('HDEL', key, 'last_outcome', 'last_ended_at', 'last_error')
end

-- Bytes of an error's headline that a record keeps. No headline of our workers is longer.
local MOST_OF_ERROR = 1200

-- Writes the outcome of a job into the record of its entry, because the job's hash expires earlier.
-- Only the entry's last job counts. If the record is gone or has the wrong type, nothing is
-- written.
--@rarely record_last_outcome
local function record_last_outcome(name, id, outcome, headline)
  local key = cron_entry_key(name)
  if redis.pcall('HGET', key, 'last_job') ~= id then return end
  if #headline > MOST_OF_ERROR then
    -- Do not cut a character in two.
    headline = string.gsub(string.sub(headline, 1, MOST_OF_ERROR), '[\192-\255]?[\128-\191]*$', '')
  end
  redis.call('HSET', key, 'last_outcome', outcome, 'last_ended_at', now, 'last_error', headline)
end
