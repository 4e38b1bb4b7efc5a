-- What a refresh token stands for, and whether it was used.
-- KEYS[1] grant; ARGV: the token's hash, how long a used one gets its answer again, in ms
local found = redis.call('HMGET', KEYS[1], 'data', 'refresh', 'u:' .. ARGV[1], 'answer:' .. ARGV[1])
if not found[1] then
    return {}
end
if found[2] == ARGV[1] then
    return {'current', found[1], string.format('%.0f', redis.call('PTTL', KEYS[1]))}
end
if not found[3] then
    return {'other', found[1]}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if found[4] and now - tonumber(found[3]) <= tonumber(ARGV[2]) then
    return {'repeated', found[1], found[4]}
end
return {'reused', found[1]}
