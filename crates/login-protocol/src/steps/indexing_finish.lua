-- Keeps that all members were indexed, if the turn is still the asker's.
-- KEYS[1] indexing; ARGV: holder, for how long this is kept in ms
local found = redis.call('HMGET', KEYS[1], 'holder', 'from_ms')
if found[1] ~= ARGV[1] or not found[2] then
    return {'lost'}
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'done_from_ms', found[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'finished'}
