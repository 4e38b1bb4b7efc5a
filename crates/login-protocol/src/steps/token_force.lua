-- Admits a refresh that is rationed, unless the day's share is used up or the last one is too
-- recent. The same asker may ask again, since an answer can get lost on the way.
-- KEYS[1] those of the last 24 hours by time; ARGV: asker, spacing in ms, how many in 24 hours
local day = 86400000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - day))
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
    return {'admitted'}
end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
    local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    return {'used_up', string.format('%.0f', tonumber(oldest[2]) + day - now)}
end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] and now - tonumber(last[2]) < tonumber(ARGV[2]) then
    return {'too_soon', string.format('%.0f', tonumber(last[2]) + tonumber(ARGV[2]) - now)}
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], day)
return {'admitted'}
