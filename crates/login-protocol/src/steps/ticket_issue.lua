-- Issues a ticket, or the same one again with all of its time, since an answer can get lost on the
-- way; never one that was redeemed.
-- KEYS[1] ticket; ARGV: the login, who has the ticket, its life in ms, for how long it is remembered
-- afterwards in ms
if redis.call('HEXISTS', KEYS[1], 'redeemed_at_ms') == 1 then
    return {'issued'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'login', ARGV[1], 'expires_at_ms', string.format('%.0f', now + ARGV[3]))
redis.call('HSETNX', KEYS[1], 'taker', ARGV[2])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ARGV[3] + ARGV[4]))
return {'issued'}
