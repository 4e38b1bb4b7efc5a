-- Takes the turn to index the members, or goes on with it, unless that was done since or somebody
-- else is at it.
-- KEYS[1] indexing; ARGV: holder, lease in ms, since when it has to have been done in ms, for how
-- long all this is kept in ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('HMGET', KEYS[1], 'done_from_ms', 'holder', 'until_ms', 'from_ms')
if found[1] and tonumber(found[1]) >= tonumber(ARGV[3]) then
    return {'done'}
end
if found[2] and found[2] ~= ARGV[1] and tonumber(found[3]) > now then
    return {'busy'}
end
if not found[4] then
    redis.call('HSET', KEYS[1], 'from_ms', string.format('%.0f', now))
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until_ms', string.format('%.0f', now + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local reply = {'yours'}
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
    if string.sub(all[index], 1, 5) == 'node:' then
        reply[#reply + 1] = string.sub(all[index], 6)
        reply[#reply + 1] = all[index + 1]
    end
end
return reply
