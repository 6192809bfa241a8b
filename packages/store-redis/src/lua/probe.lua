-- Writes, as a check does: a replica, or a full server, that only answers is of no use.
-- ARGV[1]: a clock; '' or 's' for the server's. ARGV[2]: '1' to run also what only some checks do.
if ARGV[1] == '' or ARGV[1] == 's' then redis.call('TIME') end
redis.call('SET', KEYS[1], '1', 'PX', 1000)
if ARGV[2] == '1' then
  redis.call('MGET', KEYS[1])
  redis.call('DEL', KEYS[1])
end
return 1
