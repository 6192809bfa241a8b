-- Takes the virtual clock out of a bucket, which is then as any other, and brings the clock to this instant.
if not pace_of then
  --@ include "virtual-clock.lua"
end
local reading, epoch, ends = unpackd('>ddd', value, #value - 24)
local at, debt, unit = unpackd('>ddd', value)
if ends > now then
  -- If the terms have changed, the clock goes on by the numbers of the rule.
  if unit ~= rule.unit then
    local whole = floor(debt / unit)
    debt = min(whole * rule.unit + ceil((debt - whole * unit) / unit * rule.unit), MAX)
  end
  local pace, elapsed = pace_of(rule.capacity, rule.unit, rule.rate), now > at and now - at or 0
  if elapsed <= 4503599627370496 / pace.top then
    reading = reading + run_clock(debt, elapsed, nil, rule.rate, pace)
    if reading < 4503599627370496 then clock = { reading, epoch } end
  end
end
value = string.sub(value, 1, -26)
