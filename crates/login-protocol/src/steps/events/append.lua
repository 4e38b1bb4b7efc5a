-- Tells what happened, once: what was told before isn't told again.
-- KEYS[1] events; ARGV: the digest of the occasion, what happened, 1 if the stream is to be opened
local newest = redis.call('ZSCORE', KEYS[1], 'last')
if not newest and ARGV[3] ~= '1' then
    return {'off'}
end
local time = redis.call('TIME')
local place = math.max(time[1] * 1000000 + time[2], 1 - (newest or 0))
local text = string.format('%.0f', place)
-- What isn't an event has a negative score: nobody who reads events comes across it.
if redis.call('ZADD', KEYS[1], 'NX', '-' .. text, '=' .. ARGV[1]) == 0 then
    -- Where it was told.
    return {'told', string.sub(redis.call('ZSCORE', KEYS[1], '=' .. ARGV[1]), 2)}
end
redis.call('ZADD', KEYS[1], '-' .. text, 'last', text, text .. ' ' .. ARGV[2])
return {'appended', text}
