-- Takes somebody out of the index, unless they have got another place since.
-- KEYS[1] index; ARGV: openid, score
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then
    redis.call('ZREM', KEYS[1], ARGV[1])
end
return {'dropped'}
