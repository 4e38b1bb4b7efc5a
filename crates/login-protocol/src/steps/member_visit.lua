-- Keeps that somebody logged in inside WeChat, and the profile that they agreed to show.
-- KEYS[1] member; ARGV: now in unix seconds, 1 or 0 for a follower or none and empty when unknown,
-- then field/value pairs of the profile
local at = tonumber(ARGV[1])
local found = redis.call('HMGET', KEYS[1], 'first_seen_at', 'last_seen_at')
if not found[1] or at < tonumber(found[1]) then
    redis.call('HSET', KEYS[1], 'first_seen_at', ARGV[1])
end
if at > tonumber(found[2] or '0') then
    redis.call('HSET', KEYS[1], 'last_seen_at', ARGV[1])
end
-- The time of the change stays: it is WeChat's, and the next event is to count whatever our clock says.
if ARGV[2] ~= '' then
    redis.call('HSET', KEYS[1], 'subscribed', ARGV[2])
end
if #ARGV > 2 then
    redis.call('HSET', KEYS[1], 'profile_at', ARGV[1], 'shown_at', ARGV[1], unpack(ARGV, 3))
end
return {'recorded'}
