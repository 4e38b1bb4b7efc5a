-- What an access token stands for.
-- KEYS[1] grant; ARGV: the token's hash
local found = redis.call('HMGET', KEYS[1], 'data', 'a:' .. ARGV[1])
if not found[1] or not found[2] then
    return {}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now >= tonumber(found[2]) then
    return {}
end
return {found[1], found[2]}
