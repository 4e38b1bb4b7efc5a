-- Erases an attempt, if it is this person's.
-- KEYS[1] attempt; ARGV: app id, openid, channel, scene
local found = redis.call('HMGET', KEYS[1], 'status', 'app_id', 'openid')
if not found[1] or found[2] ~= ARGV[1] or found[3] ~= ARGV[2] then
    return {0}
end
redis.call('DEL', KEYS[1])
if found[1] ~= 'consumed' then
    redis.call('PUBLISH', ARGV[3], ARGV[4] .. ' expired')
end
return {1}
