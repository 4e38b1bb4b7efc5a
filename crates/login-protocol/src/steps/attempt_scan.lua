-- The first scan wins. A confirmed attempt lives at least as long as the browser may take to redeem
-- it.
-- KEYS[1] attempt; ARGV: the name of the account that acts; 'scan' or 'tap' for an attempt that
-- doesn't say which, or 'agreed' if the person has agreed already, or 'banned' if they are; app id,
-- openid
local found = redis.call('HMGET', KEYS[1], 'status', 'account', 'approval', 'site_name')
local status, name = found[1], found[4]
if not status then
    return {'gone'}
end
if (found[2] or 'default') ~= ARGV[1] then
    return {'elsewhere'}
end
if status == 'pending' then
    local approval = ARGV[2]
    if approval ~= 'agreed' and approval ~= 'banned' and found[3] then
        approval = found[3]
    end
    if approval == 'scan' or approval == 'agreed' then
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('HSET', KEYS[1], 'status', 'confirmed', 'app_id', ARGV[3], 'openid', ARGV[4], 'confirmed_at_ms',
            string.format('%.0f', now))
        -- Not by its expires_at_ms, which a version before wrote by its own clock.
        if redis.call('PTTL', KEYS[1]) < 60000 then
            redis.call('PEXPIRE', KEYS[1], 60000)
        end
        status = 'confirmed'
    else
        status = approval == 'banned' and 'denied' or 'scanned'
        redis.call('HSET', KEYS[1], 'status', status, 'app_id', ARGV[3], 'openid', ARGV[4])
        if approval == 'banned' then
            redis.call('HSET', KEYS[1], 'banned', '1')
        end
    end
    -- The key is the scene between braces, behind the 22 characters of `wechat-login:attempt:{`.
    redis.call('PUBLISH', 'wechat-login:attempts', string.sub(KEYS[1], 23, -2) .. ' ' .. status)
    return {'accepted', status, name}
end
local who = redis.call('HMGET', KEYS[1], 'app_id', 'openid')
if who[1] == ARGV[3] and who[2] == ARGV[4] then
    return {'repeated', status, name}
end
return {'taken', status, name}
