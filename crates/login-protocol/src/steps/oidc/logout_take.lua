-- Takes what is due. It is due again after a while, unless it is finished by then.
-- KEYS[1] the queue, by when each is due; ARGV: how many at most, that while in ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', '0', ARGV[1])
for _, task in ipairs(due) do
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), task)
end
return due
