-- Says what hangs on a session, and lets nothing be added any more.
-- KEYS[1] what hangs on the session; ARGV: how long the end of one with nothing is remembered, in ms
local fields = redis.call('HGETALL', KEYS[1])
if redis.call('HEXISTS', KEYS[1], 'ended') == 0 then
    local time = redis.call('TIME')
    fields[#fields + 1] = 'ended'
    fields[#fields + 1] = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
    local life = redis.call('PTTL', KEYS[1])
    -- Removing comes first: a full Redis takes a script's writes once it has removed something. Where
    -- there is nothing to remove, nothing can be kept there either, and the session ends all the same.
    redis.call('DEL', KEYS[1])
    for at = 1, #fields, 2 do
        redis.pcall('HSET', KEYS[1], fields[at], fields[at + 1])
    end
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(life, tonumber(ARGV[1]))))
end
return fields
