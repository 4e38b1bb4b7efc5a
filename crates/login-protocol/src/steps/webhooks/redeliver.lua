-- Has events sent again, at once, also those that wait for another try. What wasn't taken from the stream yet will be sent anyway.
-- KEYS[1] webhook; ARGV: 1 if whoever delivers is to look for them, 0 if more follow; the events' places
local found = redis.call('HMGET', KEYS[1], 'cursor', 'oldest')
local cursor, oldest = tonumber(found[1] or '') or math.huge, tonumber(found[2] or '')
for index = 2, #ARGV do
    local place = ARGV[index]
    if tonumber(place) <= cursor then
        if redis.call('HDEL', KEYS[1], 'd' .. place) == 1 then
            redis.call('HINCRBY', KEYS[1], 'dead', -1)
        end
        local new = redis.call('HSET', KEYS[1], 'p' .. place, '0 0')
        redis.call('HINCRBY', KEYS[1], 'pending', new)
        if not oldest or tonumber(place) < oldest then
            oldest = tonumber(place)
            redis.call('HSET', KEYS[1], 'oldest', place)
        end
    end
end
redis.call('HDEL', KEYS[1], 'off')
if ARGV[1] == '1' then
    redis.call('HINCRBY', KEYS[1], 'asked', 1)
end
return {'done'}
