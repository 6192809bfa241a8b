-- Deletes counters, and says how many there were.
-- ARGV[1]: '' or 's'; else it was spoiled, see connection/once.ts.
if ARGV[1] ~= '' and ARGV[1] ~= 's' then return redis.error_reply('STALE The client sent this call again; nothing was deleted') end
return redis.call('DEL', unpack(KEYS))
