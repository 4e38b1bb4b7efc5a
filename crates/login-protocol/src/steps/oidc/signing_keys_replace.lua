-- Replaces the ring of signing keys if nobody else did. Says which ring there is now.
-- KEYS[1] ring; ARGV: the revision that was read, the new revision, the new ring
local found = redis.call('HMGET', KEYS[1], 'revision', 'sealed')
if (found[1] or '0') ~= ARGV[1] then
    return {found[1], found[2]}
end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'sealed', ARGV[3])
return {ARGV[2], ARGV[3]}
