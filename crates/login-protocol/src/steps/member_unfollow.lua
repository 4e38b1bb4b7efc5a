-- Marks the member and removes the profile, unless a later event said they follow again.
-- KEYS[1] member; ARGV: event time in unix seconds
local at = tonumber(ARGV[1])
local changed_at = tonumber(redis.call('HGET', KEYS[1], 'follow_changed_at') or '0')
if at < changed_at then
    return {'outdated'}
end
redis.call('HSETNX', KEYS[1], 'first_seen_at', ARGV[1])
redis.call('HSET', KEYS[1], 'subscribed', '0', 'follow_changed_at', ARGV[1], 'last_seen_at', ARGV[1])
redis.call('HDEL', KEYS[1], 'unionid', 'nickname', 'avatar_url', 'location', 'profile_at')
return {'recorded'}
