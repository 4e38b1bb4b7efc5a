-- Counts a login of this client in the current minute, which begins with its first one.
-- KEYS[1] the client's counter; ARGV: how many are allowed
local count = redis.call('INCR', KEYS[1])
if count == 1 then
    redis.call('PEXPIRE', KEYS[1], 60000)
end
if count > tonumber(ARGV[1]) then
    return {'refused', tostring(redis.call('PTTL', KEYS[1]))}
end
return {'admitted'}
