-- Keeps the profile that a follower chose to show.
-- KEYS[1] member; ARGV: now in unix seconds, then field/value pairs
if redis.call('HGET', KEYS[1], 'subscribed') ~= '1' then
    return {'not_a_follower'}
end
redis.call('HSET', KEYS[1], 'shown_at', ARGV[1], 'profile_at', unpack(ARGV))
return {'recorded'}
