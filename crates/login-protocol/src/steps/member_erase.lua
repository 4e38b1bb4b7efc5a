-- Erases what is stored of a member, but not that they are banned.
-- KEYS[1] member
local banned = redis.call('HGET', KEYS[1], 'banned')
local known = redis.call('HLEN', KEYS[1]) - (banned and 1 or 0)
redis.call('DEL', KEYS[1])
if banned then
    redis.call('HSET', KEYS[1], 'banned', banned)
end
return {known > 0 and 1 or 0}
