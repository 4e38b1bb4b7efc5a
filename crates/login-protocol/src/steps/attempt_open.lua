-- Writes a pending attempt, unless this scene already has one.
-- KEYS[1] attempt; ARGV: lifetime in ms, expiry in ms since 1970, QR content, image address
if redis.call('EXISTS', KEYS[1]) == 1 then
    return {'exists'}
end
redis.call('HSET', KEYS[1], 'status', 'pending', 'expires_at_ms', ARGV[2], 'content', ARGV[3], 'image_url', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {'opened'}
