-- Notes which events a receiver is to get.
-- KEYS[1] webhook; ARGV: holder, the place up to which was read, the oldest pending place or
-- nothing, then the events' places
local found = redis.call('HMGET', KEYS[1], 'holder', 'cursor')
if found[1] ~= ARGV[1] then
    return {'lost'}
end
-- Repeated, they may have been delivered already.
if tonumber(found[2]) < tonumber(ARGV[2]) then
    local new = 0
    for index = 4, #ARGV do
        new = new + redis.call('HSETNX', KEYS[1], 'p' .. ARGV[index], '0 0')
    end
    redis.call('HINCRBY', KEYS[1], 'pending', new)
    redis.call('HMSET', KEYS[1], 'cursor', ARGV[2], 'oldest', ARGV[3])
end
return {'done'}
