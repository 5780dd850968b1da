-- What a list of jobs needs of each, no field longer than it shows. Changes nothing.
-- KEYS: of each job its hash and the stream of its outcomes.
-- ARGV: bytes of a field that are read at the most, bytes of a traceback (it is packed, so it can't
-- be cut), whether tracebacks are wanted, fields...
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
