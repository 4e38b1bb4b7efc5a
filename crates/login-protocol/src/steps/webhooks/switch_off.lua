-- Sends nothing more to a receiver.
-- KEYS[1] webhook; ARGV: holder, the time in ms, digest of the address
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then
    return {'lost'}
end
redis.call('HSETNX', KEYS[1], 'off', ARGV[2] .. ' ' .. ARGV[3])
return {'done'}
