-- Removes events that are too old, and what recognised repeats of old ones: a thousand of each at
-- once, so that nobody waits for it.
-- KEYS[1] events; ARGV: the oldest place that stays, the oldest place of which repeats come
local removed = 0
local function remove(found)
    if #found > 0 then
        removed = removed + redis.call('ZREM', KEYS[1], unpack(found))
    end
end
remove(redis.call('ZRANGEBYSCORE', KEYS[1], 0, '(' .. ARGV[1], 'LIMIT', 0, 1000))
local told = redis.call('ZREVRANGEBYSCORE', KEYS[1], '(0', '(-' .. ARGV[2], 'LIMIT', 0, 1000)
for index = #told, 1, -1 do
    -- It stays as long as the stream is open.
    if told[index] == 'last' then
        table.remove(told, index)
    end
end
remove(told)
return {removed}
