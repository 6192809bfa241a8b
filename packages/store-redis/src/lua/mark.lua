-- Finds the mark of this node: a random text that is lost with the counters beside it. Writes one if there is none.
-- KEYS[1]: the mark. ARGV[2]: the text to write.
local found = redis.call('GET', KEYS[1])
if found then return found end
redis.call('SET', KEYS[1], ARGV[2])
return ARGV[2]
