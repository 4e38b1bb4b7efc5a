-- Writes what is known of somebody under another account, where nothing is stored of them here.
-- KEYS[1] member; ARGV: for how many seconds it is kept, or nothing, then field/value pairs
if redis.call('HEXISTS', KEYS[1], 'first_seen_at') == 1 then
    return {'known'}
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
if ARGV[1] ~= '' then
    redis.call('EXPIRE', KEYS[1], ARGV[1])
end
return {'moved'}
