-- Fast path for the commonest call: one bucket that admits its cost. It makes no function and no table.
-- ARGV[2..3] the unit, and the capacity in units of debt
-- ARGV[4]    the second that the caller expects the server's clock to show, or ''
-- ARGV[5..7] if they are not the commonest: the rate (1), the cost in units of debt (one unit), the cool-down (0)
-- reply      the clock and the debt; if the second is as expected, the debt times a million plus the rest of the clock, because
--            one number costs the server less than a list
-- What it does not decide goes the general way. The random histories of the store suite and test/behaviour/fast-paths.test.ts
-- hold it equal to the general path.
--@ takes args time
--@ gives rules groups
if args[3] and not args[8] then
  local unit, room, second, rate, cost = args[2] + 0, args[3] + 0, args[4], args[5], args[6]
  rate, cost = rate and rate + 0 or 1, cost and cost + 0 or unit
  local key, known, owed = KEYS[1], false, 0
  -- GET costs less than MGET. For a key of another type it gives an error; the general path overwrites the key.
  local value = redis.pcall('GET', key)
  if not value then known = true
  elseif #value == 32 then
    local at, debt, old_unit, old_rate = struct.unpack('>dddd', value)
    known = old_unit == unit and old_rate == rate and at <= now
    owed = debt - (now - at) * rate
    if owed < 0 then owed = 0 end
  elseif type(value) == 'table' and not string.find(value.err, '^WRONGTYPE') then return value
  end
  owed = owed + cost
  if known and owed <= room then
    local left = now + owed / rate - origin + KEEP.LONGER
    call('SET', key, struct.pack('>dddd', now, owed, unit, rate), expiry, (left - left % 1000) / 1000)
    if time[1] == second and owed < 9000000000 then return owed * 1000000 + time[2] end
    time[1], time[2] = now, owed
    return time
  end
  rules = { rule{ kind = KIND.BUCKET, cooldown = (args[7] or 0) + 0, reduced = 0, capacity = room / unit, unit = unit, rate = rate } }
  groups = { 1, 1, 0, 1, cost / unit, MODE.CHARGE }
end
