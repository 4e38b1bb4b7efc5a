-- Lists events of one kind, about a thousand fields at once.
-- KEYS[1] webhook; ARGV: where to begin, `p` (pending) or `d` (given up)
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 1000)
local listed = {page[1]}
for index = 1, #page[2], 2 do
    if page[2][index]:match('^' .. ARGV[2] .. '%d+$') then
        listed[#listed + 1] = page[2][index]
        listed[#listed + 1] = page[2][index + 1]
    end
end
return listed
