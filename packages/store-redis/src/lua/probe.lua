-- Writes a key as a check does, so that a replica or a full server does not pass for a healthy one.
-- ARGV[1]: a clock; '' or 's' for the server's. ARGV[2]: '1' to run the commands of rarer checks, too.
if ARGV[1] == '' or ARGV[1] == 's' then redis.call('TIME') end
redis.call('SET', KEYS[1], '1', 'PX', 1000)
redis.call('GET', KEYS[1])
if ARGV[2] == '1' then
  redis.call('MGET', KEYS[1])
  redis.call('DEL', KEYS[1])
end
return 1
