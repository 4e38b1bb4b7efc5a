-- Gives a code to the first who asks; everybody else learns what came of it.
-- KEYS[1] code; ARGV: lifetime in ms
if redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[1]) then
    return {'claimed'}
end
return {'known', redis.call('GET', KEYS[1])}
