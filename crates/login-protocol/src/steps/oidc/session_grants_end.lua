-- Says what hangs on a session, and lets nothing be added any more.
-- KEYS[1] what hangs on the session; ARGV: how long the end of one with nothing is remembered, in ms
if redis.call('HEXISTS', KEYS[1], 'ended') == 0 then
    local time = redis.call('TIME')
    redis.call('HSET', KEYS[1], 'ended', string.format('%d%03d', time[1], math.floor(time[2] / 1000)))
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return redis.call('HGETALL', KEYS[1])
