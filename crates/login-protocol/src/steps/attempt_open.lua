-- Writes a pending attempt, unless this scene already has one.
-- KEYS[1] attempt; ARGV: lifetime in ms, then field/value pairs
if redis.call('EXISTS', KEYS[1]) == 1 then
    return {'exists'}
end
redis.call('HSET', KEYS[1], 'status', 'pending', unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {'opened'}
