-- Adds a session to its person's. Those whose life is over are dropped, and of the others the
-- oldest if they are too many.
-- KEYS[1] the person's sessions, by when they end at the latest in ms; ARGV: the session, when it
-- ends at the latest in ms, how many are kept
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000)
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then
    redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2]))
end
return {'kept'}
