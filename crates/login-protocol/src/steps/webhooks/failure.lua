-- Notes why a receiver last didn't take an event.
-- KEYS[1] webhook; ARGV: holder, when (ms) and why
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then
    return {'lost'}
end
redis.call('HSET', KEYS[1], 'failure', ARGV[2])
return {'done'}
