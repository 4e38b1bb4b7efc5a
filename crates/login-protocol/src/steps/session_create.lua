-- Starts a session, or writes the same one again; never one that was ended.
-- KEYS[1] session; ARGV: what it holds, its life in ms
if redis.call('GET', KEYS[1]) == 'ended' then
    return {'ended'}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'created'}
