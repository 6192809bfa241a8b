-- Fast path for a bucket that admits its cost, the commonest group of a run. It makes no tables. The random histories of the
-- store suite, which send bursts of equal checks, hold it equal to the general path.
if left > 0 and unit then
  local key = keys[k + 1]
  local value = wrote[key]
  if value == nil then value = raw[k + 1] end
  local owed, at, debt, old_unit, old_rate, cooldown
  if value and #value == 32 then at, debt, old_unit, old_rate = unpackd('>dddd', value) end
  if old_unit == unit and old_rate == rate and at <= now then
    owed = debt - (now - at) * rate
    if owed < 0 then owed = 0 end
  else
    owed, at, debt, old_unit, old_rate, cooldown = owes(value, unit, rate)
  end
  owed = owed + cost
  if owed <= room and not (at and at > now or cooldown and now < cooldown) then
    value = pack('>dddd', now, owed, unit, rate)
    local done = try('SET', key, value, 'PX', ceil(ceil(owed / rate) / 1000) + 1000)
    k, decided = k + 1, true
    if type(done) == 'table' and done.err then out[o] = '!' .. done.err else
      out[o], wrote[key] = owed, value
    end
  end
end
