-- Writes the counters of a group that a fast path has decided. `failure` is the server's error if one was not written.
local failure
for d = 1, decided and count or 0 do
  local key, left = keys[k_demands + d], fresh_at[d] - origin + 1000999
  local done = try('SET', key, values[d], expiry, (left - left % 1000) / 1000)
  if done.err then
    failure = done.err
    -- A group with an error must not be charged, so its writes are undone.
    for e = 1, d - 1 do
      local written = keys[k_demands + e]
      if before[e] then try('SET', written, before[e], 'KEEPTTL') else try('DEL', written) end
      wrote[written] = before[e]
    end
    break
  end
  wrote[key] = values[d]
end
