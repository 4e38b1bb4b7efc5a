-- Takes a code once, while it is good. The same caller gets the same answer for a moment, since
-- answers get lost.
-- KEYS[1] code: see compat_give.lua; ARGV: the caller, how long a code is good and that moment,
-- both in ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('GET', KEYS[1])
if not known then
    return {''}
end
local openid, given, taker, taken = string.match(known, '^(%S+) (%d+) ?(%S*) ?(%d*)$')
if taker == '' then
    if now - tonumber(given) >= tonumber(ARGV[2]) then
        return {''}
    end
    local life = math.max(redis.call('PTTL', KEYS[1]), 1)
    local record = string.format('%s %s %s %.0f', openid, given, ARGV[1], now)
    redis.call('SET', KEYS[1], record, 'PX', string.format('%.0f', life))
elseif taker ~= ARGV[1] or now - tonumber(taken) >= tonumber(ARGV[3]) then
    return {''}
end
return {openid}
