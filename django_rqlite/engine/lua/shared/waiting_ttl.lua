-- How long a job may wait, as a field of its hash says.

-- Whole seconds, or nil for as long as it takes. Other tools may have written anything there, and
-- EXPIRE would end the script in the middle where it finds a fraction or "inf".
local function waiting_ttl(text)
  local seconds = tonumber(text or '')
  if seconds and seconds > 0 and seconds < 1e10 then return math.ceil(seconds) end
end
