-- Lets nobody repeat a redemption: its session was ended on purpose.
-- KEYS[1] attempt
if redis.call('HGET', KEYS[1], 'status') == 'consumed' then
    redis.call('HSET', KEYS[1], 'redeemed_at_ms', '0')
end
return {'forgotten'}
