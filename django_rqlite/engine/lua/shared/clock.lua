-- The server's clock, so that hosts whose clocks disagree still agree on leases and expiry.
--@include stamp
local clock = redis.call('TIME')
local now = tonumber(clock[1])                       -- whole unix seconds
local now_precise = clock[1] .. '.' .. string.format('%06d', tonumber(clock[2]))
