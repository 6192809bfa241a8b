-- Deletes counters. Returns how many existed.
-- ARGV[1]: '' or 's'. Anything else was overwritten: connection/at-most-once.ts.
if ARGV[1] ~= '' and ARGV[1] ~= 's' then return redis.error_reply('STALE The client sent this call again; nothing was deleted') end
return redis.call('DEL', unpack(KEYS))
