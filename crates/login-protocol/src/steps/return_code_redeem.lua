-- Redeems a code of another host once, where and in the browser that it was asked for. The same
-- redemption again is answered alike, since an answer can get lost.
-- KEYS[1] code; ARGV: origin, SHA-256 of the browser's mark, SHA-256 of the cookie that it becomes
local found = redis.call('GET', KEYS[1])
if not found then
    return {'unknown'}
end
local session, browser, origin, cookie = string.match(found, '^(%S+) (%S+) (%S+) ?(%S*)$')
if origin ~= ARGV[1] or browser ~= ARGV[2] then
    return {'elsewhere'}
end
if cookie == '' then
    local left = redis.call('PTTL', KEYS[1])
    -- Removing comes first: a full Redis takes a script's writes once it has removed something.
    redis.call('DEL', KEYS[1])
    redis.call('SET', KEYS[1], found .. ' ' .. ARGV[3], 'PX', math.max(left, 1))
elseif cookie ~= ARGV[3] then
    return {'used'}
end
return {'redeemed', session}
