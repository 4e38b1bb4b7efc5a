-- Keeps which attempts somebody scanned lately.
-- KEYS[1] a person's attempts; ARGV: scene, for how long in ms
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'noted'}
