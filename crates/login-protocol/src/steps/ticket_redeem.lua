-- Redeems a ticket once, and again within the window, since an answer can get lost on the way.
-- KEYS[1] ticket; ARGV: the window in ms
local found = redis.call('HMGET', KEYS[1], 'login', 'expires_at_ms', 'redeemed_at_ms')
if not found[1] then
    return {'unknown'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if found[3] then
    if now - tonumber(found[3]) > tonumber(ARGV[1]) then
        return {'used'}
    end
    return {'redeemed', found[1]}
end
if now >= tonumber(found[2]) then
    return {'expired'}
end
redis.call('HSET', KEYS[1], 'redeemed_at_ms', string.format('%.0f', now))
return {'redeemed', found[1]}
