-- The subject of a UnionID: the one that is known, or else the one that is offered. Of two that
-- were given, the older one is kept.
-- KEYS[1] subject of the UnionID; ARGV: the subject that is offered, when it was given in ms
-- (nothing: now)
local found = redis.call('HMGET', KEYS[1], 'sub', 'given_at_ms')
if found[1] and (ARGV[2] == '' or tonumber(found[2]) <= tonumber(ARGV[2])) then
    return {found[1], found[2]}
end
local given_at = ARGV[2]
if given_at == '' then
    local time = redis.call('TIME')
    given_at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
redis.call('HSET', KEYS[1], 'sub', ARGV[1], 'given_at_ms', given_at)
return {ARGV[1], given_at}
