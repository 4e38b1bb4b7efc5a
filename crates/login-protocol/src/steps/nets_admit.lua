-- Counts a use against the shares of a client and of the wider nets that it is in, unless one of
-- them is used up: who is refused isn't counted. A window begins with its first use.
-- KEYS[1] hash: a net to when each of its windows began (ms since 1970) and how many uses it has,
-- in turn
-- ARGV: how many clients are told apart; how many windows, then the length in ms and the share of
-- each, the longest last; then the name and the factor of each net, the client's own first
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local windows = tonumber(ARGV[2])
local first = 3 + 2 * windows
local wait, kept, answer = 0, {}, {'admitted'}
for at = first, #ARGV, 2 do
    local known = redis.call('HGET', KEYS[1], ARGV[at])
    local numbers = {}
    for number in string.gmatch(known or '', '%d+') do
        numbers[#numbers + 1] = tonumber(number)
    end
    local fields = {}
    for window = 1, windows do
        local length, share = tonumber(ARGV[1 + 2 * window]), ARGV[2 + 2 * window] * ARGV[at + 1]
        local began, used = numbers[2 * window - 1], numbers[2 * window]
        if not used or now < began or now - began >= length then
            began, used = now, 0
        end
        if used >= share then
            wait = math.max(wait, began + length - now)
        end
        fields[2 * window - 1], fields[2 * window] = string.format('%.0f', began), string.format('%.0f', used + 1)
    end
    answer[#answer + 1] = fields[2 * windows]
    -- Beyond so many clients in a wide net only the wider ones count: whoever has it can't fill
    -- Redis.
    local alone = at == first and at + 2 > #ARGV
    if known or alone or at > first or redis.call('HLEN', KEYS[1]) < tonumber(ARGV[1]) then
        kept[#kept + 1] = ARGV[at]
        kept[#kept + 1] = table.concat(fields, ' ')
    end
end
if wait > 0 then
    return {'refused', string.format('%.0f', wait)}
end
redis.call('HSET', KEYS[1], unpack(kept))
if redis.call('PTTL', KEYS[1]) < 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[1 + 2 * windows])
end
return answer
