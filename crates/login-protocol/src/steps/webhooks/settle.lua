-- Notes what became of events that were sent. An event that isn't pending any more stays so.
-- KEYS[1] webhook; ARGV: holder, the oldest pending place or nothing, then for each event: its
-- place, `done`, `again` or `dead`, how often sending it failed, when it is due or was given up (ms)
local leads = redis.call('HGET', KEYS[1], 'holder') == ARGV[1]
for index = 3, #ARGV, 4 do
    local place, outcome, failed, at = unpack(ARGV, index, index + 3)
    local pending = redis.call('HGET', KEYS[1], 'p' .. place)
    if pending and outcome == 'done' then
        redis.call('HDEL', KEYS[1], 'p' .. place)
        redis.call('HINCRBY', KEYS[1], 'pending', -1)
    elseif pending and leads and outcome == 'dead' then
        redis.call('HDEL', KEYS[1], 'p' .. place)
        redis.call('HINCRBY', KEYS[1], 'pending', -1)
        redis.call('HINCRBY', KEYS[1], 'dead', redis.call('HSETNX', KEYS[1], 'd' .. place, at))
        redis.call('HINCRBY', KEYS[1], 'failures', 1)
    elseif pending and leads and tonumber(pending:match('^%d+')) < tonumber(failed) then
        redis.call('HSET', KEYS[1], 'p' .. place, failed .. ' ' .. at)
        redis.call('HINCRBY', KEYS[1], 'failures', 1)
    end
end
if leads then
    redis.call('HSET', KEYS[1], 'oldest', ARGV[2])
end
return {leads and 'done' or 'lost'}
