-- Reserves a place in a share, unless all are taken. A reservation ends by itself when the window
-- is over; the same one made again changes nothing, since an answer can get lost on the way.
-- KEYS[1] reservations by time; ARGV: the reservation's name, how many places there are, the window
-- in ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
    return {'admitted'}
end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
    local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    return {'refused', string.format('%.0f', tonumber(oldest[2]) + window - now)}
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'admitted'}
