-- Ends an attempt that nobody has redeemed, if it belongs to the site and the account.
-- KEYS[1] attempt; ARGV: site, account, channel, scene
local found = redis.call('HMGET', KEYS[1], 'status', 'site', 'account')
if not found[1] or (found[2] and found[2] ~= ARGV[1]) or (found[3] or 'default') ~= ARGV[2] then
    return {'expired'}
end
if found[1] == 'consumed' then
    return {'consumed'}
end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[3], ARGV[4] .. ' expired')
return {'cancelled'}
