-- Erases that a subject is a UnionID's, if it is.
-- KEYS[1] subject of the UnionID; ARGV: the subject
if redis.call('HGET', KEYS[1], 'sub') ~= ARGV[1] then
    return {0}
end
return {redis.call('DEL', KEYS[1])}
