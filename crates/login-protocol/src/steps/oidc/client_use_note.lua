-- Notes what a person's login at a client left. What is over makes room.
-- KEYS[1] all of the person's, by when it is over at the latest; ARGV: pairs of an entry and its life
-- in ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local life = redis.call('PTTL', KEYS[1])
for at = 1, #ARGV, 2 do
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[at + 1]), ARGV[at])
    life = math.max(life, tonumber(ARGV[at + 1]))
end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life))
return {'noted'}
