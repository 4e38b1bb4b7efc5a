-- Adds to an hour's figures, once for each number that a process gives its additions.
-- KEYS[1] hash: figure to count; `~<process>` to the number of its last addition; `@<process>` to
-- when a site's replica reported (ms since 1970), how many browsers wait at it, and the site's name
-- ARGV: the process; the addition's number; when the hour is forgotten (s since 1970); the report or
-- nothing; then figure and count in turn
local last = redis.call('HGET', KEYS[1], '~' .. ARGV[1])
if not last or tonumber(last) < tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[1], '~' .. ARGV[1], ARGV[2])
    for at = 5, #ARGV, 2 do
        redis.call('HINCRBY', KEYS[1], ARGV[at], ARGV[at + 1])
    end
end
if ARGV[4] ~= '' then
    local time = redis.call('TIME')
    local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
    redis.call('HSET', KEYS[1], '@' .. ARGV[1], now .. ' ' .. ARGV[4])
end
redis.call('EXPIREAT', KEYS[1], ARGV[3])
return 'noted'
