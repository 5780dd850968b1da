-- The server's clock, so that hosts whose clocks disagree still agree on leases and expiry.
local clock = redis.call('TIME')
local now = tonumber(clock[1])                       -- whole unix seconds
local now_precise = clock[1] .. '.' .. string.format('%06d', tonumber(clock[2]))

-- 1446518555 -> '2015-11-03T02:42:35Z', the one form that every release of RQ parses.
-- Days to civil date by Howard Hinnant's public-domain algorithm: scripts have no os.date.
local function stamp(seconds)
  local days = math.floor(seconds / 86400)
  local rest = seconds - days * 86400
  local z = days + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local day = doy - math.floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02dZ', year, month, day,
    math.floor(rest / 3600), math.floor(rest % 3600 / 60), rest % 60)
end
