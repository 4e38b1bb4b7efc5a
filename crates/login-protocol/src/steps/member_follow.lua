-- Keeps what an event says about a follower, unless a later event said they unfollowed.
-- KEYS[1] member; ARGV: event time in unix seconds, then field/value pairs of the profile
local at = tonumber(ARGV[1])
local found = redis.call('HMGET', KEYS[1], 'follow_changed_at', 'first_seen_at', 'last_seen_at')
local first, last, changed = found[2], found[3], tonumber(found[1] or '0')
if not first or at < tonumber(first) then
    first = ARGV[1]
end
if not last or at > tonumber(last) then
    last = ARGV[1]
end
-- Two events of just now lie no further apart than that, whatever the clocks say: a change beyond
-- is nobody's.
if at < changed and changed - at <= 900 then
    redis.call('HSET', KEYS[1], 'first_seen_at', first, 'last_seen_at', last)
    return 'outdated'
end
-- One write for all: each command inside a script costs Redis as much as one that a client sends.
redis.call('HSET', KEYS[1], 'first_seen_at', first, 'last_seen_at', last, 'subscribed', '1', 'follow_changed_at',
    ARGV[1], unpack(ARGV, 2))
-- A record that was just made has no end.
if found[2] then
    redis.call('PERSIST', KEYS[1])
end
return 'recorded'
