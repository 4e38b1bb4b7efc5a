-- Gives uses back to a client and the wider nets that it is in. A window that has fewer is empty
-- then.
-- KEYS[1] hash as of nets_admit.lua; ARGV: how many uses, the first window that gets them back,
-- then the nets' names
for at = 3, #ARGV do
    local known = redis.call('HGET', KEYS[1], ARGV[at])
    if known then
        local numbers = {}
        for number in string.gmatch(known, '%d+') do
            local place = #numbers + 1
            if place % 2 == 0 and place / 2 >= tonumber(ARGV[2]) then
                number = string.format('%.0f', math.max(0, number - ARGV[1]))
            end
            numbers[place] = number
        end
        redis.call('HSET', KEYS[1], ARGV[at], table.concat(numbers, ' '))
    end
end
return {'given_back'}
