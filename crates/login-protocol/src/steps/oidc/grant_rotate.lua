-- Replaces a refresh token by its successor. A used one gets its answer again for a while; later it
-- ends the grant.
-- KEYS[1] grant; ARGV: the token's hash, its successor's, the access token's, that one's life in
-- ms, the grant's life in ms, the sealed answer, how long a used one gets it again in ms, how many
-- used ones are remembered, and how many access tokens there can be: the one that ends first makes room
local found = redis.call('HMGET', KEYS[1], 'refresh', 'u:' .. ARGV[1], 'answer:' .. ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[7])
if not found[1] then
    return {'unknown'}
end
if found[1] ~= ARGV[1] then
    if not found[2] then
        return {'unknown'}
    end
    if found[3] and now - tonumber(found[2]) <= window then
        return {'repeated', found[3]}
    end
    redis.call('DEL', KEYS[1])
    return {'reused'}
end
local fields = redis.call('HGETALL', KEYS[1])
local count, first = {['a:'] = 0, ['u:'] = 0}, {}
for at = 1, #fields, 2 do
    local name, kind, value = fields[at], string.sub(fields[at], 1, 2), tonumber(fields[at + 1])
    if kind == 'a:' and value <= now then
        redis.call('HDEL', KEYS[1], name)
    elseif count[kind] then
        count[kind] = count[kind] + 1
        if kind == 'u:' and now - value > window then
            redis.call('HDEL', KEYS[1], 'answer:' .. string.sub(name, 3))
        end
        if not first[kind] or value < first[kind].value then
            first[kind] = {name = name, value = value}
        end
    end
end
if count['u:'] >= tonumber(ARGV[8]) then
    local name = first['u:'].name
    redis.call('HDEL', KEYS[1], name, 'answer:' .. string.sub(name, 3))
end
if count['a:'] >= tonumber(ARGV[9]) then
    redis.call('HDEL', KEYS[1], first['a:'].name)
end
redis.call('HSET', KEYS[1], 'refresh', ARGV[2], 'u:' .. ARGV[1], string.format('%.0f', now),
    'answer:' .. ARGV[1], ARGV[6], 'a:' .. ARGV[3], string.format('%.0f', now + ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {'rotated'}
