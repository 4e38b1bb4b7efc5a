-- Denies an attempt whose person was banned, unless it was redeemed.
-- KEYS[1] attempt; ARGV: app id, openid, channel, scene
local found = redis.call('HMGET', KEYS[1], 'status', 'app_id', 'openid', 'banned')
if not found[1] or found[2] ~= ARGV[1] or found[3] ~= ARGV[2] then
    return {'not_theirs'}
end
-- A repeat, whose first answer was lost.
if found[1] == 'denied' and found[4] then
    return {'denied'}
end
if found[1] ~= 'scanned' and found[1] ~= 'confirmed' then
    return {'stands'}
end
redis.call('HSET', KEYS[1], 'status', 'denied', 'banned', '1')
redis.call('PUBLISH', ARGV[3], ARGV[4] .. ' denied')
return {'denied'}
