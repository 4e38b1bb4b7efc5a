-- Ends all sessions that began up to now.
-- KEYS[1] the end of the member's sessions; ARGV: for how long a session can live, in ms, and who the member is
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Removing comes first: a full Redis takes a script's writes once it has removed something.
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], string.format('%.0f', now), 'PX', ARGV[1])
redis.call('PUBLISH', 'wechat-login:sessions', ARGV[2])
return {'ended'}
