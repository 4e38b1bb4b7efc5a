-- Makes the asker the gateway that delivers to a receiver, unless another one is heard of.
-- KEYS[1] webhook; ARGV: holder, lease in ms, µs since the asker started, digest of the address
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('HMGET', KEYS[1], 'holder', 'until', 'cursor', 'off')
local holder, cursor, off = found[1], found[3], found[4] or ''
if holder and holder ~= ARGV[1] and tonumber(found[2]) > now then
    return {'taken'}
end
if not cursor then
    cursor = string.format('%.0f', time[1] * 1000000 + time[2] - ARGV[3])
    redis.call('HSET', KEYS[1], 'cursor', cursor)
end
if off ~= '' and off:match(' (.*)$') ~= ARGV[4] then
    redis.call('HDEL', KEYS[1], 'off')
    off = ''
end
redis.call('HMSET', KEYS[1], 'holder', ARGV[1], 'until', string.format('%.0f', now + ARGV[2]))
-- A receiver that no gateway knows any more is forgotten after 30 days.
redis.call('PEXPIRE', KEYS[1], 2592000000)
return {holder == ARGV[1] and 'kept' or 'begun', cursor, off}
