-- Says what hangs on a session, and lets nothing be added any more.
-- KEYS[1] what hangs on the session; ARGV: how long that is remembered, in ms
local fields = redis.call('HGETALL', KEYS[1])
redis.call('HSET', KEYS[1], 'ended', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return fields
