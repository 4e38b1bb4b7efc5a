-- Keeps an authorization request. One that is there already stays as it is.
-- KEYS[1] request; ARGV: the request, its life in ms
if redis.call('EXISTS', KEYS[1]) == 1 then
    return {'opened'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'data', ARGV[1], 'opened_at_ms', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'opened'}
