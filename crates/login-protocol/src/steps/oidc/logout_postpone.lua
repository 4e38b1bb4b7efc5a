-- Another try takes the place of one that failed, later.
-- KEYS[1] the queue, by when each is due; ARGV: the task as it was, as it is now, how much later in ms
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[2])
end
return {'postponed'}
