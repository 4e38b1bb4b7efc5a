-- The time where the stream is.
-- KEYS[1] events
return redis.call('TIME')
