-- Takes a lock that nobody holds. Its holder may ask again, since an answer can get lost on the
-- way.
-- KEYS[1] lock; ARGV: holder, lease in ms
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
    return {'taken'}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'held'}
