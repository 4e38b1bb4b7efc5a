-- Exchanges a grant's code, once. Whoever comes a second time ends all that came of the first. The
-- very same exchange again, after its answer got lost on the way to us, changes nothing.
-- KEYS[1] grant; ARGV: the code's hash, the access token's hash, its life in ms, the refresh
-- token's hash or '', the grant's life in ms
local found = redis.call('HMGET', KEYS[1], 'code', 'spent_by')
if not found[1] or found[1] ~= ARGV[1] then
    return {'unknown'}
end
if found[2] == ARGV[2] then
    return {'exchanged'}
end
if found[2] then
    redis.call('DEL', KEYS[1])
    return {'reused'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'spent_by', ARGV[2], 'a:' .. ARGV[2], string.format('%.0f', now + ARGV[3]))
if ARGV[4] ~= '' then
    redis.call('HSET', KEYS[1], 'refresh', ARGV[4])
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {'exchanged'}
