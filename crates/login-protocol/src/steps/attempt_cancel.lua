-- Ends an attempt that nobody has redeemed.
-- KEYS[1] attempt; ARGV: channel, scene
local status = redis.call('HGET', KEYS[1], 'status')
if not status then
    return {'expired'}
end
if status == 'consumed' then
    return {'consumed'}
end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' expired')
return {'cancelled'}
