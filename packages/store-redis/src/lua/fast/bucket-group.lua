-- Fast path for a group of one bucket, the commonest group. It makes no tables. A refusal that starts no cool-down writes
-- nothing. The random histories of the store suite and test/behaviour/fast-paths.test.ts hold it equal to the general path.
-- perf: by usec_per_call of Redis, 64 coalesced buckets take 2.1 times as long by the general path, and 1.1 times by plain-group.lua;
-- 64 refusals take 6 and 1.4 times as long. One check and several policies do not come here.
if single then
  local key = keys[k + 1]
  local value = wrote[key]
  if value == nil then value = raw[k + 1] end
  local known, owed, since, debt, old_unit, old_rate = not value, cost
  if value and #value == 32 then
    since, debt, old_unit, old_rate = unpackd('>dddd', value)
    known = old_unit == unit and old_rate == rate and since <= now
    owed = debt - (now - since) * rate
    owed = owed > 0 and owed + cost or cost
  end
  if known and owed <= room then
    local left = now + owed / rate - origin + 1000999
    value = pack('>dddd', now, owed, unit, rate)
    local done = try('SET', key, value, expiry, (left - left % 1000) / 1000)
    k, o, decided = k + 1, o + 1, true
    if done.err then out[o] = '!' .. done.err else
      out[o], wrote[key] = owed, value
    end
  elseif known and since and refuses then
    out[o + 1], out[o + 2] = -since, debt
    k, o, decided = k + 1, o + 2, true
  end
end
