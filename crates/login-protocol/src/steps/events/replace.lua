-- Replaces the text of an event, if it is still that.
-- KEYS[1] events; ARGV: its place, the text, the text instead
if redis.call('ZREM', KEYS[1], ARGV[2]) == 0 then
    return {'gone'}
end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[3])
return {'replaced'}
