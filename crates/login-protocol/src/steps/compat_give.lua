-- Gives a code to a person, unless it is another's. Theirs stays as it is, used or not: WeChat
-- delivers a message several times.
-- KEYS[1] code: an openid, when it was given and, once it was taken, by whom and when; ARGV: an
-- openid, how long the code is kept in ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('GET', KEYS[1])
if known then
    return {string.match(known, '^%S+') == ARGV[1] and 'given' or 'taken'}
end
redis.call('SET', KEYS[1], string.format('%s %.0f', ARGV[1], now), 'PX', ARGV[2])
return {'given'}
