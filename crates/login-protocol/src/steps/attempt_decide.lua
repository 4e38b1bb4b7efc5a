-- Confirms or refuses a scanned attempt, if it is the asker's. Deciding again changes nothing.
-- KEYS[1] attempt; ARGV: status after, app id, openid, redemption window in ms, channel, scene
local found = redis.call('HMGET', KEYS[1], 'status', 'app_id', 'openid')
if not found[1] then
    return {'gone'}
end
if found[2] ~= ARGV[2] or found[3] ~= ARGV[3] then
    return {'not_theirs'}
end
if found[1] ~= 'scanned' then
    return {'stands', found[1]}
end
redis.call('HSET', KEYS[1], 'status', ARGV[1])
if ARGV[1] == 'confirmed' then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('HSET', KEYS[1], 'confirmed_at_ms', string.format('%.0f', now))
    if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
    end
end
redis.call('PUBLISH', ARGV[5], ARGV[6] .. ' ' .. ARGV[1])
return {'stands', ARGV[1]}
