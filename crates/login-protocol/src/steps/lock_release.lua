-- Releases a lock, if it is still the asker's.
-- KEYS[1] lock; ARGV: holder
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
return {'released'}
