-- Fast path for the commonest call, one bucket and nothing else. It makes no tables. ARGV[2..5]: unit, rate, then capacity
-- and cost in units of debt. test/store.test.ts and the random histories of the store suite hold it equal to the general path.
if #ARGV == 5 then
  local unit, rate, value = ARGV[2] + 0, ARGV[3] + 0, call('MGET', KEYS[1])[1]
  local owed, at, debt, old_unit, old_rate, cooldown = owes(value, unit, rate)
  owed = owed + ARGV[5]
  if owed > ARGV[4] + 0 or cooldown and now < cooldown then
    return { now, at and string.format('00;;0 %.0f %.0f %.0f %.0f %.0f', cooldown, at, debt, old_unit, old_rate) or '00;;0' }
  end
  if not at or at < now then at = now end
  call('SET', KEYS[1], pack('>dddd', at, owed, unit, rate), 'PX', ceil((at + ceil(owed / rate) - now) / 1000) + 1000)
  return { now, at == now and owed or string.format('10;;1 0 %.0f %.0f %.0f %.0f', at, owed, unit, rate) }
end
