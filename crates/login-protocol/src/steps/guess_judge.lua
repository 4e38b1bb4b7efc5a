-- Judges a person's guess once, unless they guessed wrong too often lately. The same message again
-- has its first verdict.
-- KEYS[1] the person's guesses: message to its time and, if it was right, a scene; ARGV: the
-- message, the scene that the guess leads to or '', how many may be wrong, for how long they count
-- in ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HGETALL', KEYS[1])
local wrong, over = 0, {}
for index = 1, #known, 2 do
    local at, scene = string.match(known[index + 1], '^(%d+) (.*)$')
    if known[index] == ARGV[1] then
        return {'judged', scene, 'again'}
    elseif now - tonumber(at) >= tonumber(ARGV[4]) then
        over[#over + 1] = known[index]
    elseif scene == '' then
        wrong = wrong + 1
    end
end
-- Removing comes first: a full Redis takes a script's writes once it has removed something.
for _, message in ipairs(over) do
    redis.call('HDEL', KEYS[1], message)
end
if wrong >= tonumber(ARGV[3]) then
    return {'locked'}
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'judged', ARGV[2], 'first'}
