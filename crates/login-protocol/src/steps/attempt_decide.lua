-- Confirms or refuses a scanned attempt, if it is the asker's. Deciding again changes nothing.
-- KEYS[1] attempt; ARGV: the name of the account that acts, status after, app id, openid,
-- redemption window in ms, channel, scene
local found = redis.call('HMGET', KEYS[1], 'status', 'app_id', 'openid', 'account')
if not found[1] or (found[4] or 'default') ~= ARGV[1] then
    return {'gone'}
end
if found[2] ~= ARGV[3] or found[3] ~= ARGV[4] then
    return {'not_theirs'}
end
if found[1] ~= 'scanned' then
    return {'stands', found[1]}
end
redis.call('HSET', KEYS[1], 'status', ARGV[2])
if ARGV[2] == 'confirmed' then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('HSET', KEYS[1], 'confirmed_at_ms', string.format('%.0f', now))
    if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then
        redis.call('PEXPIRE', KEYS[1], ARGV[5])
    end
end
redis.call('PUBLISH', ARGV[6], ARGV[7] .. ' ' .. ARGV[2])
return {'stands', ARGV[2]}
