-- Fast path for a group of buckets and windows that all admit, and whose penalty, if it has one, is not set. It makes no
-- tables. The random histories of the store suite and test/behaviour/fast-paths.test.ts hold it equal to the general path.
if plain and not single then
  local k_demands, t = k, 0
  decided = true
  if flags == 1 then
    k_demands = k + 1
    local value = wrote[keys[k_demands]]
    if value == nil then value = raw[k_demands] end
    decided = not value
  end
  for d = 1, decided and count or 0 do
    local unit, rate, cost = units[d], rates[d], costs[d]
    local value = wrote[keys[k_demands + d]]
    if value == nil then value = raw[k_demands + d] end
    if unit then
      local known, owed = not value, cost
      if value and #value == 32 then
        local since, debt, old_unit, old_rate = unpackd('>dddd', value)
        known = old_unit == unit and old_rate == rate and since <= now
        owed = debt - (now - since) * rate
        owed = owed > 0 and owed + cost or cost
      end
      decided = known and owed <= rooms[d]
      values[d], fresh_at[d] = pack('>dddd', now, owed, unit, rate), now + owed / rate
      t = t + 1
      told[t] = owed
    else
      local known, ends, used = not value, rate, cost
      if value and #value == 24 then
        local cooldown, old_ends, old_count = unpackd('>ddd', value)
        known = cooldown == 0
        if now < old_ends then ends, used = old_ends, old_count + cost end
      end
      decided = known and used <= rooms[d]
      values[d], fresh_at[d] = pack('>ddd', 0, ends, used), ends
      told[t + 1], told[t + 2] = ends, used
      t = t + 2
    end
    if not decided then break end
  end
  if decided then
    local failure
    for d = 1, count do
      local left = fresh_at[d] - origin + 1000999
      local done = try('SET', keys[k_demands + d], values[d], expiry, (left - left % 1000) / 1000)
      if done.err then
        failure = done.err
        -- A group with an error must not be charged, so its writes are undone.
        for e = 1, d - 1 do
          local key = keys[k_demands + e]
          local before = wrote[key]
          if before == nil then before = raw[k_demands + e] end
          if before then try('SET', key, before, 'KEEPTTL') else try('DEL', key) end
        end
        break
      end
    end
    if failure then
      o = o + 1
      out[o] = '!' .. failure
    else
      for d = 1, count do wrote[keys[k_demands + d]] = values[d] end
      for n = 1, t do out[o + n] = told[n] end
      o = o + t
    end
    k = k_demands + count
  end
end
