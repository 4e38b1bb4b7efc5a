-- Finds what the owner did among the events before a place, newest first. It looks at so many at
-- most, so that nobody waits for it, and says from which place on there may be more.
-- KEYS[1] events; ARGV: the place as a bound, how many are looked at, how many are wanted
local texts = redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[1], '(0', 'LIMIT', 0, ARGV[2])
local answer = {''}
local looked = 0
for _, text in ipairs(texts) do
    looked = looked + 1
    -- What kind an event is stands first in it.
    if string.find(text, '^%d+ {"type":"owner%.acted"') then
        answer[#answer + 1] = text
        if #answer > tonumber(ARGV[3]) then
            break
        end
    end
end
if looked > 0 and (looked < #texts or #texts == tonumber(ARGV[2])) then
    answer[1] = string.match(texts[looked], '^%d+')
end
return answer
