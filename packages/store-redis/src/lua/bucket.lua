-- The token bucket. Mirrors core/src/algorithms/token-bucket.ts. A counter in Redis is packed doubles: instant, debt, unit
-- and rate of the last charge, then the end of the cool-down if there is one.

-- Returns the debt of a bucket at this instant, in terms of (unit, rate), then its stored instant, debt, unit, rate and
-- cool-down. It captures `now` alone, because Lua makes the function again for each call of the script, and every captured
-- variable adds to that.
local function owes(value, unit, rate)
  if not value or #value < 32 then return 0 end
  local at, debt, old_unit, old_rate = struct.unpack('>dddd', value)
  local cooldown = #value > 32 and struct.unpack('>d', value, 33) or 0
  local elapsed, owed = now > at and now - at or 0, debt
  if elapsed * old_rate >= owed then return 0, at, debt, old_unit, old_rate, cooldown end
  if old_unit ~= unit then
    local whole = math.floor(owed / old_unit)
    owed = whole * unit + math.ceil((owed - whole * old_unit) / old_unit * unit)
    if owed > 9007199254740991 then owed = 9007199254740991 end
  end
  owed = owed - elapsed * rate
  return owed > 0 and owed or 0, at, debt, old_unit, old_rate, cooldown
end
