-- Takes a share of the day's codes, or what is left of them.
-- KEYS[1] the day's count; ARGV: share, how many may be taken by now, life of the count in ms
local taken = tonumber(redis.call('GET', KEYS[1]) or '0')
local granted = math.max(0, math.min(tonumber(ARGV[1]), tonumber(ARGV[2]) - taken))
if granted > 0 then
    redis.call('INCRBY', KEYS[1], granted)
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return {'granted', string.format('%.0f', granted), string.format('%.0f', taken + granted)}
