-- Queues what is to be done, at once. What is queued already stays as it is.
-- KEYS[1] the queue, by when each is due; ARGV: most, life of the queue in ms, tasks…
local time = redis.call('TIME')
local now = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
for at = 3, #ARGV do
    if redis.call('ZSCORE', KEYS[1], ARGV[at]) == false and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
        return {'full'}
    end
    redis.call('ZADD', KEYS[1], 'NX', now, ARGV[at])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'queued'}
