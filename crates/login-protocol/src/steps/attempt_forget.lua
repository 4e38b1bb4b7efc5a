-- Lets nobody repeat a redemption: its session was ended on purpose.
-- KEYS[1] attempt
if redis.call('HGET', KEYS[1], 'status') == 'consumed' then
    -- Removing comes first: a full Redis takes a script's writes once it has removed something.
    redis.call('HDEL', KEYS[1], 'nonce')
    redis.call('HSET', KEYS[1], 'redeemed_at_ms', '0')
end
return {'forgotten'}
