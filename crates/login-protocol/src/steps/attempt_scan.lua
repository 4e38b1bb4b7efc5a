-- The first scan wins. A confirmed attempt lives at least as long as the browser may take to redeem it.
-- KEYS[1] attempt; ARGV: status after the scan, app id, openid, redemption window in ms, channel, scene
local found = redis.call('HMGET', KEYS[1], 'status', 'app_id', 'openid')
if not found[1] then
    return {'gone'}
end
if found[1] == 'pending' then
    redis.call('HSET', KEYS[1], 'status', ARGV[1], 'app_id', ARGV[2], 'openid', ARGV[3])
    if ARGV[1] == 'confirmed' then
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('HSET', KEYS[1], 'confirmed_at_ms', string.format('%.0f', now))
        if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
            redis.call('PEXPIRE', KEYS[1], ARGV[4])
        end
    end
    redis.call('PUBLISH', ARGV[5], ARGV[6] .. ' ' .. ARGV[1])
    return {'accepted', ARGV[1]}
end
if found[2] == ARGV[2] and found[3] == ARGV[3] then
    return {'repeated', found[1]}
end
return {'taken', found[1]}
