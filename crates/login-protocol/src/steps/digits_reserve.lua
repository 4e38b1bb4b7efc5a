-- Gives digits that no attempt of the account has. Of n digits, six at least, there are at most
-- 10^(n-4), so that a guess hits one of them with at most 1 in 10,000.
-- KEYS[1] digits by the end of their time; ARGV: their life in ms, then candidates of twelve digits
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local given = redis.call('ZCARD', KEYS[1])
local length, room = 6, 100
while given >= room do
    length, room = length + 1, room * 10
end
for index = 2, #ARGV do
    local digits = string.sub(ARGV[index], 1, length)
    if #digits == length and not redis.call('ZSCORE', KEYS[1], digits) then
        redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[1]), digits)
        if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
            redis.call('PEXPIRE', KEYS[1], ARGV[1])
        end
        return {'given', digits}
    end
end
return {'none'}
