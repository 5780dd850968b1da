-- Reads the fields of jobs that a list shows, cut to the length that it shows. Changes nothing.
-- KEYS:      for each job its hash and the stream of its results
-- ARGV:      1 bytes of a field that are read at most, 2 bytes of a traceback (a longer one is left
--            out: it is compressed, so it cannot be cut), 3 '1' to read tracebacks, 4.. fields
-- Returns:   for each job {1 if it exists, else 0, {value, ...}, traceback}; or {error} if its key
--            has the wrong type
local longest, longest_packed, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local fields = {}
for number = 4, #ARGV do fields[#fields + 1] = ARGV[number] end

local function packed(value)
  return type(value) == 'string' and #value <= longest_packed and value or ''
end

local found = {}
for number = 1, #KEYS, 2 do
  local key = KEYS[number]
  local values = redis.pcall('HMGET', key, unpack(fields))
  if values.err then
    found[#found + 1] = {values.err}
  else
    for place = 1, #fields do
      local value = values[place]
      if value and #value > longest then values[place] = string.sub(value, 1, longest) end
    end
    local reason = ''
    if wanted then
      reason = packed(redis.call('HGET', key, 'exc_info'))
      if reason == '' then
        local last = redis.pcall('XREVRANGE', KEYS[number + 1], '+', '-', 'COUNT', 1)
        for index = 1, last[1] and #last[1][2] or 0, 2 do
          if last[1][2][index] == 'exc_string' then reason = packed(last[1][2][index + 1]) end
        end
      end
    end
    found[#found + 1] = {redis.call('EXISTS', key), values, reason}
  end
end
return found
