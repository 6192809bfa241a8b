-- The virtual clock of a bucket that tenants share. Mirrors core/src/algorithms/virtual-clock.ts. A counter in Redis with a clock
-- has at its end the clock's reading, its epoch, the instant from which the counter equals a fresh one, and a byte that says so: its
-- length is odd, and that of every other counter even.

-- The functions are made when the first clock of a call is met, because nearly no call meets one.
pace_of = function(capacity, unit, rate)
  --@ include "pace.lua"
  return pace{ plenty = plenty, band = band, per_unit = per_unit, top = top, kept = kept }
end

-- How far a clock runs in some microseconds, from a debt on that nobody adds to. With a distance instead: the microseconds for it.
run_clock = function(debt, elapsed, distance, rate, pace)
  local band = debt <= pace.plenty and 0 or math.min(10, 1 + math.floor((debt - pace.plenty - 1) / pace.band))
  local sum, time = 0, 0
  for at = band, 1, -1 do
    local speed = math.max(1, math.floor(pace.top / 4 ^ (at - 1)))
    local steps = math.max(0, ceil((debt - pace.plenty - (at - 1) * pace.band) / rate))
    if distance and steps * speed >= distance - sum then return time + ceil((distance - sum) / speed) end
    if elapsed and steps > elapsed - time then steps = elapsed - time end
    sum, time, debt = sum + steps * speed, time + steps, debt - steps * rate
  end
  if distance then return time + ceil((distance - sum) / pace.top) end
  return sum + (elapsed - time) * pace.top
end
