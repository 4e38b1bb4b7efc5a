-- Keeps a token for as long as it is good.
-- KEYS[1] token; ARGV: token, expiry in ms since 1970
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'expires_at_ms', ARGV[2])
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return {'stored'}
