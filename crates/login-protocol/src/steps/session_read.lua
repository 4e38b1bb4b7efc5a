-- Whose session it is. Being asked for keeps it from ending for want of use, and never beyond its whole life.
-- KEYS[1] session; ARGV: whole life in ms, life without use in ms
local found = redis.call('GET', KEYS[1])
if not found or found == 'ended 0' then
    return {}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = tonumber(string.match(found, '%d+$')) + tonumber(ARGV[1]) - now
if left <= 0 then
    redis.call('DEL', KEYS[1])
    return {}
end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(left, tonumber(ARGV[2]))))
return {found}
