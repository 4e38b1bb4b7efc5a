-- Ends a session. What stays for a while keeps a repeat of its login from writing it again.
-- KEYS[1] session; ARGV: what stays, for how long in ms, and whose it is, if that is known
-- Removing comes first: a full Redis takes a script's writes once it has removed something.
if redis.call('DEL', KEYS[1]) == 1 then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    if ARGV[3] then
        redis.call('PUBLISH', 'wechat-login:sessions', ARGV[3])
    end
end
return {'ended'}
