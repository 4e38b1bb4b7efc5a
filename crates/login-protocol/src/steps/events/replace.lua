-- Replaces the text of an event, if it is still that.
-- KEYS[1] events; ARGV: its place, the text, the text instead, 1 if its occasion is forgotten
if redis.call('ZREM', KEYS[1], ARGV[2]) == 0 then
    return {'gone'}
end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] == '1' then
    -- What has this score is the occasion, and of the newest event also what keeps the stream open.
    for _, element in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-' .. ARGV[1], '-' .. ARGV[1])) do
        if element ~= 'last' then
            redis.call('ZREM', KEYS[1], element)
        end
    end
end
return {'replaced'}
