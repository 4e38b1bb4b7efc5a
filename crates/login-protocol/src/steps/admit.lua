-- Counts a use of a share in the current window, which begins with the first one.
-- KEYS[1] the counter; ARGV: how many are allowed, the window in ms
local count = redis.call('INCR', KEYS[1])
if count == 1 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
if count > tonumber(ARGV[1]) then
    return {'refused', tostring(redis.call('PTTL', KEYS[1]))}
end
return {'admitted'}
