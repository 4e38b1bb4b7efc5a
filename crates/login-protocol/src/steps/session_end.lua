-- Ends a session. What stays for a while keeps a repeat of its login from writing it again; an older version
-- reads it as a session that began in 1970 and is over.
-- KEYS[1] session; ARGV: for how long the end is remembered, in ms
-- Removing comes first: a full Redis takes a script's writes once it has removed something.
if redis.call('DEL', KEYS[1]) == 1 then
    redis.call('SET', KEYS[1], 'ended 0', 'PX', ARGV[1])
end
return {'ended'}
