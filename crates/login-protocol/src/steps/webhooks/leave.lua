-- Lets another gateway deliver to a receiver.
-- KEYS[1] webhook; ARGV: holder
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then
    redis.call('HDEL', KEYS[1], 'holder', 'until')
end
return {'done'}
