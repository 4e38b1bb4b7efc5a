-- Notes a client of a session, and what ends with the session; nothing once it is over.
-- KEYS[1] what hangs on the session; ARGV: client, life of a session in ms, grant or '', its life
-- in ms, the subject that the client sees, and how many fields there can be
if redis.call('HEXISTS', KEYS[1], 'ended') == 1 then
    return {'ended'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'c:' .. ARGV[1], ARGV[5])
if ARGV[3] ~= '' then
    -- Those whose time is up make room, once there is none: a session can be used any number of
    -- times, and not all at once.
    if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then
        local fields = redis.call('HGETALL', KEYS[1])
        for at = 1, #fields, 2 do
            if string.sub(fields[at], 1, 2) == 'g:' and tonumber(fields[at + 1]) < now then
                redis.call('HDEL', KEYS[1], fields[at])
            end
        end
        if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6])
            and redis.call('HEXISTS', KEYS[1], 'g:' .. ARGV[3]) == 0 then
            return {'full'}
        end
    end
    redis.call('HSET', KEYS[1], 'g:' .. ARGV[3], string.format('%.0f', now + ARGV[4]))
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'added'}
