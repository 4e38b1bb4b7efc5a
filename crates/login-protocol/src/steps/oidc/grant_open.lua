-- Opens a grant with its code; the same one again changes nothing.
-- KEYS[1] grant; ARGV: what it holds, the code's hash, the code's life in ms
if redis.call('EXISTS', KEYS[1]) == 0 then
    redis.call('HSET', KEYS[1], 'data', ARGV[1], 'code', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return {'opened'}
