-- Opens the stream of events, unless it is open.
-- KEYS[1] events
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], 'NX', string.format('-%.0f', time[1] * 1000000 + time[2]), 'last')
return {redis.call('ZSCORE', KEYS[1], 'last')}
