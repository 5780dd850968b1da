-- Reads how long a job may wait from a field of its hash.

-- Whole seconds, or nil without a limit. Other tools may have written anything, and EXPIRE would
-- end the script in the middle for a fraction or "inf".
local function waiting_ttl(text)
  local seconds = tonumber(text or '')
  if seconds and seconds > 0 and seconds < 1e10 then return math.ceil(seconds) end
end
