-- Nothing is left of a session but its end.
-- KEYS[1] what hung on the session; ARGV: how long its end is remembered, in ms
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'ended', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {'settled'}
