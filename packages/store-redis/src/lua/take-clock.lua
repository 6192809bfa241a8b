-- Takes the virtual clock from the end of a bucket, and brings it to this instant. `size` becomes the length of the rest. Mirrors
-- core/src/algorithms/virtual-clock.ts. A bucket with a clock has at its end the clock's reading, its epoch, the instant from which the
-- bucket equals a fresh one, and a byte that says so: its length is odd, and that of every other counter even.
--@ takes item rule value at debt unit
--@ gives size failed
local reading, began, ends, last
if size >= 57 then reading, began, ends, last = unpackd('>dddB', value, size - 24) end
size = size - 25
if last ~= END.CLOCK then failed, size = NEWER, 0
elseif ends > now then
  local pooled, owed = rule, debt
  --@ include "pool-pace.lua"
  -- If the terms have changed, the clock goes on by the numbers of the rule.
  if unit ~= rule.unit then
    --@ need "in-units.lua"
    owed = in_units(debt, unit, rule.unit)
  end
  local elapsed = now > at and now - at or 0
  if elapsed <= MOST.READING / pooled.top then
    if owed <= pooled.plenty then reading = reading + elapsed * pooled.top
    else
      --@ need "run-clock.lua"
      reading = reading + run_clock(pooled, owed, elapsed)
    end
    if reading < MOST.READING then item.clock, item.reading, item.began = true, reading, began end
  end
end
