-- Runs every command that a check runs, and leaves nothing.
redis.call('TIME')
redis.call('SET', KEYS[1], '1', 'PX', 1000)
redis.call('GET', KEYS[1])
redis.call('MGET', KEYS[1])
return redis.call('DEL', KEYS[1])
