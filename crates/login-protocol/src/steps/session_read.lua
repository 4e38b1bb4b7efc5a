-- Whose session it is. Being asked for keeps it from ending for want of use, and never beyond its
-- whole life.
-- KEYS[1] session; ARGV: whole life in ms, life without use in ms, what its record has before its
-- beginning in ms
local found = redis.call('GET', KEYS[1])
if not found or string.sub(found, 1, 5) == 'ended' then
    return {}
end
local begun_at = tonumber(string.match(found, ARGV[3] .. '(%d+)'))
if not begun_at then
    return {found}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = begun_at + tonumber(ARGV[1]) - now
if left <= 0 then
    redis.call('DEL', KEYS[1])
    return {}
end
local life = string.format('%.0f', math.min(left, tonumber(ARGV[2])))
-- An object remembers when it was used, to the second: a page asks for many things at once.
local kept, seen_at = string.match(found, '^(.*),"last_seen_at_ms":(%d+)}$')
if not kept then
    kept, seen_at = string.match(found, '^({.*)}$'), begun_at
end
if kept and now - tonumber(seen_at) >= 1000 then
    local record = string.format('%s,"last_seen_at_ms":%.0f}', kept, now)
    -- A full Redis takes none, and the session goes on.
    if not redis.pcall('SET', KEYS[1], record, 'PX', life).err then
        return {found}
    end
end
redis.call('PEXPIRE', KEYS[1], life)
return {found}
