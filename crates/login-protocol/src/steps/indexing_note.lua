-- Keeps how far the indexing of a node has got, if it is still the asker's.
-- KEYS[1] indexing; ARGV: holder, lease in ms, node, place
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then
    return {'lost'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'until_ms', string.format('%.0f', now + ARGV[2]), 'node:' .. ARGV[3], ARGV[4])
return {'noted'}
