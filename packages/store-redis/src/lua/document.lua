-- Reads or writes a document: a hash of its version (v) and its text (t).
-- ARGV[1]: '' or 's'. Anything else was overwritten: connection/at-most-once.ts.
-- ARGV[2]: the version that the caller knows; '' for none. ARGV[3] and ARGV[4]: the text to write, and its version; absent in a read.
-- reply    to a read: 0 if the version is the known one, else the version and the text
--          to a write: 1, or 0 if somebody else has written
if ARGV[1] ~= '' and ARGV[1] ~= 's' then return redis.error_reply('STALE The client sent this call again; nothing was written') end
local key, known, text = KEYS[1], ARGV[2], ARGV[3]
local version = redis.call('HGET', key, 'v') or '0'
if text then
  if version ~= known then return 0 end
  redis.call('HSET', key, 'v', ARGV[4], 't', text)
  return 1
end
if version == known then return 0 end
return { version, redis.call('HGET', key, 't') or '' }
