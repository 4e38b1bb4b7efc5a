-- Marks the member and removes the profile, unless a later event said they follow again.
-- KEYS[1] member; ARGV: event time in unix seconds
local at = tonumber(ARGV[1])
local found = redis.call('HMGET', KEYS[1], 'follow_changed_at', 'first_seen_at', 'last_seen_at', 'subscribed',
    'unfollow_learned_at')
-- Two events of just now lie no further apart than that, whatever the clocks say: a change beyond
-- is nobody's.
local changed = tonumber(found[1] or '0')
local outdated = at < changed and changed - at <= 900
if not outdated then
    -- Removing comes first: a full Redis takes a script's writes once it has removed something.
    redis.call('HDEL', KEYS[1], 'unionid', 'nickname', 'avatar_url', 'location', 'profile_at', 'shown_at')
    redis.call('HSET', KEYS[1], 'subscribed', '0', 'follow_changed_at', ARGV[1])
    -- Sessions go by Redis' clock. The same event again is no other unfollow, nor is one of which a
    -- login inside WeChat has told since they followed.
    if found[4] ~= '0' or (at ~= changed and tonumber(found[5] or '0') <= changed) then
        local time = redis.call('TIME')
        redis.call('HSET', KEYS[1], 'unfollowed_at_ms', string.format('%d%03d', time[1], math.floor(time[2] / 1000)))
    end
    -- The key is the person between braces, behind the 21 characters of `wechat-login:member:{`.
    redis.call('PUBLISH', 'wechat-login:sessions', string.sub(KEYS[1], 22, -2))
end
if not found[2] or at < tonumber(found[2]) then
    redis.call('HSET', KEYS[1], 'first_seen_at', ARGV[1])
end
if at > tonumber(found[3] or '0') then
    redis.call('HSET', KEYS[1], 'last_seen_at', ARGV[1])
end
return {outdated and 'outdated' or 'recorded'}
