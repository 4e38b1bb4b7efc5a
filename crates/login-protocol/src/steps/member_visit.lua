-- Keeps that somebody logged in inside WeChat, and the profile that they agreed to show.
-- KEYS[1] member; ARGV: when WeChat was asked in unix seconds, 1 or 0 for a follower or none and
-- empty when unknown, for how many seconds whoever doesn't follow is kept, the UnionID or nothing,
-- then field/value pairs of what was shown
local at = tonumber(ARGV[1])
local found = redis.call('HMGET', KEYS[1], 'first_seen_at', 'last_seen_at', 'follow_changed_at', 'subscribed',
    'unfollow_learned_at')
if not found[1] or at < tonumber(found[1]) then
    redis.call('HSET', KEYS[1], 'first_seen_at', ARGV[1])
end
if at > tonumber(found[2] or '0') then
    redis.call('HSET', KEYS[1], 'last_seen_at', ARGV[1])
end
-- An event of about the same time knows better than an answer that may be older; 5 s are for the
-- clocks. One that lies further ahead than clocks differ is nobody's.
local changed = tonumber(found[3] or '0')
local overtaken = changed > at - 5 and changed - at <= 900
local subscribed = found[4]
local unfollowed = found[5] == ARGV[1]
-- The time of the change stays: it is WeChat's, and the next event is to count whatever our clock
-- says.
if ARGV[2] ~= '' and not overtaken then
    if subscribed == '1' and ARGV[2] == '0' then
        -- Sessions go by Redis' clock. This very login may be confirmed within the same millisecond,
        -- and stays.
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('HSET', KEYS[1], 'unfollowed_at_ms', string.format('%.0f', now - 1), 'unfollow_learned_at', ARGV[1])
        unfollowed = true
        -- The key is the person between braces, behind the 21 characters of `wechat-login:member:{`.
        redis.call('PUBLISH', 'wechat-login:sessions', string.sub(KEYS[1], 22, -2))
    end
    subscribed = ARGV[2]
    redis.call('HSET', KEYS[1], 'subscribed', subscribed)
end
local told_before = overtaken and subscribed == '0'
if ARGV[4] ~= '' and not told_before then
    redis.call('HSET', KEYS[1], 'unionid', ARGV[4])
end
if #ARGV > 4 and not told_before then
    redis.call('HSET', KEYS[1], unpack(ARGV, 5))
end
-- No event will tell when to forget somebody who doesn't follow.
if subscribed ~= '1' then
    redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return {unfollowed and 'unfollowed' or 'recorded'}
