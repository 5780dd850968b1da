-- The server's clock. Hosts whose clocks differ still agree on leases and expiry.
--@include timestamp
local clock = redis.call('TIME')
local now = tonumber(clock[1])                       -- whole unix seconds
local fraction = string.format('%06d', tonumber(clock[2]))
local now_precise = clock[1] .. '.' .. fraction      -- unix seconds, as text
local now_micro = clock[1] .. fraction               -- unix microseconds, as text
