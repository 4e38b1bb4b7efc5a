-- Gives somebody their subject, once and for all.
-- KEYS[1] subject; ARGV: the subject, when it was given in ms (nothing: now), the digest of the
-- UnionID or nothing
local given_at, union = ARGV[2], ARGV[3]
if redis.call('HSETNX', KEYS[1], 'sub', ARGV[1]) == 0 then
    return redis.call('HMGET', KEYS[1], 'sub', 'given_at_ms', 'union_sha256')
end
if given_at == '' then
    local time = redis.call('TIME')
    given_at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
if union == '' then
    redis.call('HSET', KEYS[1], 'given_at_ms', given_at)
else
    redis.call('HSET', KEYS[1], 'given_at_ms', given_at, 'union_sha256', union)
end
return {'given', given_at}
