-- Forgets events that a receiver hasn't got.
-- KEYS[1] webhook; ARGV: the events' places
for index = 1, #ARGV do
    local place = ARGV[index]
    if redis.call('HDEL', KEYS[1], 'p' .. place) == 1 then
        redis.call('HINCRBY', KEYS[1], 'pending', -1)
    end
    if redis.call('HDEL', KEYS[1], 'd' .. place) == 1 then
        redis.call('HINCRBY', KEYS[1], 'dead', -1)
    end
end
return {'done'}
