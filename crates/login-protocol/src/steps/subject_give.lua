-- Gives somebody their subject, once and for all.
-- KEYS[1] subject; ARGV: the subject, when it was given in ms (nothing: now), the digest of the UnionID or nothing
local found = redis.call('HMGET', KEYS[1], 'sub', 'given_at_ms', 'union_sha256')
if found[1] then
    return {found[1], found[2], found[3]}
end
local given_at = ARGV[2]
if given_at == '' then
    local time = redis.call('TIME')
    given_at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
redis.call('HSET', KEYS[1], 'sub', ARGV[1], 'given_at_ms', given_at)
if ARGV[3] == '' then
    return {ARGV[1], given_at, false}
end
redis.call('HSET', KEYS[1], 'union_sha256', ARGV[3])
return {ARGV[1], given_at, ARGV[3]}
