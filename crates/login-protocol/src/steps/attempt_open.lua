-- Writes a pending attempt, unless this scene already has one. Its times are Redis', which is one
-- clock for all.
-- KEYS[1] attempt; ARGV: lifetime in ms, then field/value pairs
local known = redis.call('HGET', KEYS[1], 'expires_at_ms')
if known then
    return {'exists', known}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expires_at = string.format('%.0f', now + ARGV[1])
redis.call('HSET', KEYS[1], 'status', 'pending', 'opened_at_ms', string.format('%.0f', now),
    'expires_at_ms', expires_at, unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {'opened', expires_at}
