-- Redeems a confirmed attempt once; the same browser may ask again within the window, since an
-- answer can get lost on the way. The first nonce stays, so every repeat leads to the same session.
-- KEYS[1] attempt; ARGV: site, account, nonce, redemption window in ms, channel, scene, `session` or
-- `ticket`: what it is redeemed for
local found = redis.call('HMGET', KEYS[1], 'status', 'app_id', 'openid', 'nonce', 'redeemed_at_ms', 'confirmed_at_ms',
    'site', 'account', 'method', 'content', 'redeemed_for', 'approval', 'client', 'require_following')
local status = found[1]
if not status or (found[7] and found[7] ~= ARGV[1]) or (found[8] or 'default') ~= ARGV[2] then
    return {'expired'}
end
if status ~= 'confirmed' and status ~= 'consumed' then
    if status == 'denied' and redis.call('HEXISTS', KEYS[1], 'banned') == 1 then
        return {'banned'}
    end
    return {status}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- The code matters only where no method is named.
local content = not found[9] and found[10]
if status == 'consumed' then
    -- For a session, unless it says otherwise.
    if now - tonumber(found[5]) > tonumber(ARGV[4]) or (found[11] or 'session') ~= ARGV[7] then
        return {'consumed'}
    end
    return {'redeemed', found[2], found[3], found[4], found[5], found[6], found[9], content, found[12], found[13],
        found[14]}
end
local redeemed_at = string.format('%.0f', now)
redis.call('HSET', KEYS[1], 'status', 'consumed', 'nonce', ARGV[3], 'redeemed_at_ms', redeemed_at)
if ARGV[7] ~= 'session' then
    redis.call('HSET', KEYS[1], 'redeemed_for', ARGV[7])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
redis.call('PUBLISH', ARGV[5], ARGV[6] .. ' consumed')
return {'redeemed', found[2], found[3], ARGV[3], redeemed_at, found[6], found[9], content, found[12], found[13],
        found[14]}
