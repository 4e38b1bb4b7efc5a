-- The first scan wins. A confirmed attempt lives at least as long as the browser may take to redeem it.
-- KEYS[1] attempt; ARGV: the name of the account that acts; 'scan' or 'tap' for an attempt that doesn't say which, or
-- 'agreed' if the person has agreed already; app id, openid, redemption window in ms, channel, scene
local found = redis.call('HMGET', KEYS[1], 'status', 'app_id', 'openid', 'account', 'approval', 'site_name')
if not found[1] then
    return {'gone'}
end
if (found[4] or 'default') ~= ARGV[1] then
    return {'elsewhere'}
end
if found[1] == 'pending' then
    local approval = ARGV[2]
    if approval ~= 'agreed' and found[5] then
        approval = found[5]
    end
    local after = (approval == 'scan' or approval == 'agreed') and 'confirmed' or 'scanned'
    redis.call('HSET', KEYS[1], 'status', after, 'app_id', ARGV[3], 'openid', ARGV[4])
    if after == 'confirmed' then
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('HSET', KEYS[1], 'confirmed_at_ms', string.format('%.0f', now))
        if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then
            redis.call('PEXPIRE', KEYS[1], ARGV[5])
        end
    end
    redis.call('PUBLISH', ARGV[6], ARGV[7] .. ' ' .. after)
    return {'accepted', after, found[6]}
end
if found[2] == ARGV[3] and found[3] == ARGV[4] then
    return {'repeated', found[1], found[6]}
end
return {'taken', found[1], found[6]}
