-- Redeems a confirmed attempt once; the same browser may ask again within the window, since an answer
-- can get lost on the way. The first nonce stays, so every repeat leads to the same session.
-- KEYS[1] attempt; ARGV: nonce, redemption window in ms, channel, scene
local found = redis.call('HMGET', KEYS[1], 'status', 'app_id', 'openid', 'nonce', 'redeemed_at_ms', 'confirmed_at_ms')
local status = found[1]
if not status then
    return {'expired'}
end
if status ~= 'confirmed' and status ~= 'consumed' then
    return {status}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if status == 'consumed' then
    if now - tonumber(found[5]) > tonumber(ARGV[2]) then
        return {'consumed'}
    end
    return {'redeemed', found[2], found[3], found[4], found[5], found[6]}
end
local redeemed_at = string.format('%.0f', now)
redis.call('HSET', KEYS[1], 'status', 'consumed', 'nonce', ARGV[1], 'redeemed_at_ms', redeemed_at)
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
redis.call('PUBLISH', ARGV[3], ARGV[4] .. ' consumed')
return {'redeemed', found[2], found[3], ARGV[1], redeemed_at, found[6]}
