-- Gives a code to the first who asks; everybody else learns what came of it.
-- KEYS[1] code; ARGV: lifetime in ms, the asker's name
local mine = '?' .. ARGV[2]
if redis.call('SET', KEYS[1], mine, 'NX', 'PX', ARGV[1]) then
    return {'claimed'}
end
local found = redis.call('GET', KEYS[1])
-- Asking again, as after a lost answer, changes nothing.
if found == mine then
    return {'claimed'}
end
if string.sub(found, 1, 1) == '?' then
    return {'in_progress'}
end
return {'resolved', found}
