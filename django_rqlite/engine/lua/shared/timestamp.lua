-- 1446518555 -> '2015-11-03T02:42:35Z', the one form that every release of RQ parses.
-- Days to civil date by Howard Hinnant's public-domain algorithm, because scripts have no os.date.
local function timestamp(seconds)
  local floor = math.floor
  local rest = seconds % 86400
  local z = (seconds - rest) / 86400 + 719468
  local doe = z % 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local mp = floor((5 * doy + 2) / 153)
  local day = doy - floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + (z - doe) / 146097 * 400 + (month <= 2 and 1 or 0)
  local second = rest % 60
  return string.format('%04d-%02d-%02dT%02d:%02d:%02dZ', year, month, day,
    floor(rest / 3600), (rest % 3600 - second) / 60, second)
end
