-- Keeps the profile that a follower chose to show.
-- KEYS[1] member; ARGV: now in unix seconds, the UnionID or nothing, then field/value pairs of what
-- was shown
if redis.call('HGET', KEYS[1], 'subscribed') ~= '1' then
    return {'not_a_follower'}
end
if ARGV[2] ~= '' then
    redis.call('HSET', KEYS[1], 'unionid', ARGV[2])
end
if #ARGV > 2 then
    redis.call('HSET', KEYS[1], unpack(ARGV, 3))
end
return {'recorded'}
