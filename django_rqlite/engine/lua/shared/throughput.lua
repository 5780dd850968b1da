-- Counts how many executions end in each minute, and how long they waited and ran, for charts.
-- There is one hash for each queue and hour. Its fields are '<minute>:<what>', with what being
-- 'done', 'failed', 'w<b>' or 'r<b>': executions that waited, or ran, up to 2^b seconds and longer
-- than half of that.
-- Needs: keys.lua, clock.lua
--@include wrong_type

-- Seconds for which an hour's counts are kept: a day, the hour itself, and one more.
local ACTIVITY_KEPT = 26 * 3600

local SHORTEST, LONGEST = -10, 20

local function bucket(seconds)
  if seconds <= 2 ^ SHORTEST then return SHORTEST end
  local fraction, exponent = math.frexp(seconds)
  if fraction == 0.5 then exponent = exponent - 1 end
  return math.min(exponent, LONGEST)
end

-- The reverse of timestamp.lua; nil for a time that another tool wrote in another form.
local function seconds_of(text)
  local year, month, day, hour, minute, second =
    string.match(text, '^(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d):(%d%d):(%d%d)')
  if not year then return nil end
  year, month = tonumber(year), tonumber(month)
  if month <= 2 then year, month = year - 1, month + 12 end
  local days = 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * month - 457) / 5) + tonumber(day) - 719469
  return days * 86400 + tonumber(hour) * 3600 + tonumber(minute) * 60 + tonumber(second)
end

-- Counts an execution that ends now. what: 'done' or 'failed'; enqueued: the job's enqueued_at, or
-- false; began: unix seconds as text. If a key or a field has the wrong type, nothing is counted.
local function count_run(queue, what, enqueued, began)
  local key = activity_key(queue, string.format('%.0f', math.floor(now / 3600)))
  local minute = string.format('%d:', math.floor(now % 3600 / 60))
  local count = redis.pcall('HINCRBY', key, minute .. what, 1)
  if type(count) ~= 'number' then return end
  if count == 1 then redis.call('EXPIRE', key, ACTIVITY_KEPT) end
  local start = tonumber(began)
  if not start then return end
  local ran = bucket(tonumber(now_precise) - start)
  redis.pcall('HINCRBY', key, minute .. 'r' .. ran, 1)
  local since = enqueued and seconds_of(enqueued)
  if since then
    -- enqueued_at has whole seconds, so this is the longest time that it can have waited.
    local waited = bucket(math.floor(start) - since + 1)
    redis.pcall('HINCRBY', key, minute .. 'w' .. waited, 1)
  end
end
