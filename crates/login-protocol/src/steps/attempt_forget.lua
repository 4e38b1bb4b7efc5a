-- Lets nobody repeat a redemption: its session was ended on purpose.
-- KEYS[1] attempt; ARGV: site, account
local found = redis.call('HMGET', KEYS[1], 'status', 'site', 'account')
if found[1] == 'consumed' and not (found[2] and found[2] ~= ARGV[1]) and (found[3] or 'default') == ARGV[2] then
    -- Removing comes first: a full Redis takes a script's writes once it has removed something.
    redis.call('HDEL', KEYS[1], 'nonce')
    redis.call('HSET', KEYS[1], 'redeemed_at_ms', '0')
end
return {'forgotten'}
