-- Counts the processes that share a limit. Each runs this every few seconds, and is forgotten when it stops.
-- KEYS[1]: a sorted set of processes by their last heartbeat. KEYS[2]: the mark of the node, a window, whose end is read in passing.
-- ARGV[2]: this process; empty for one that only counts the others. ARGV[3]: the life of a heartbeat, ms.
-- reply: the number of processes, and the end of the mark; '' if there is none
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[2] == '' then
  return { redis.call('ZCOUNT', KEYS[1], now - ARGV[3], '+inf') }
end
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - ARGV[3]))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local mark = KEYS[2] and redis.call('GET', KEYS[2])
return { redis.call('ZCARD', KEYS[1]), mark and #mark == 24 and string.format('%.0f', struct.unpack('>d', mark, 9)) or '' }
