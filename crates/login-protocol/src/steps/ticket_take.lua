-- Hands a ticket that waits for its browser to the first who asks, with all of its time. The same
-- asker may ask again, since an answer can get lost on the way.
-- KEYS[1] ticket; ARGV: the asker's name, the ticket's life in ms, for how long it is remembered
-- afterwards in ms
local found = redis.call('HMGET', KEYS[1], 'taker', 'expires_at_ms')
if found[1] == ARGV[1] then
    return {'taken'}
end
if found[1] ~= '' then
    return {'none'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now >= tonumber(found[2]) then
    return {'none'}
end
redis.call('HSET', KEYS[1], 'taker', ARGV[1], 'expires_at_ms', string.format('%.0f', now + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ARGV[2] + ARGV[3]))
return {'taken'}
