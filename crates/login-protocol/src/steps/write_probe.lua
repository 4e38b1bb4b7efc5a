-- Writes as the other steps do: after reading the clock, with an end.
-- KEYS[1] anything; ARGV: life in ms
local time = redis.call('TIME')
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return {'written', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))}
