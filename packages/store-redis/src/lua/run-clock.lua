-- Returns how far the clock of a pool runs in some microseconds, from a debt on that nobody adds to; or, with a distance instead, the
-- microseconds for it.
run_clock = function(pooled, debt, elapsed, distance)
  local plenty, band, top, rate = pooled.plenty, pooled.band, pooled.top, pooled.rate
  local first = debt <= plenty and 0 or min(10, 1 + floor((debt - plenty - 1) / band))
  local sum, time = 0, 0
  for at = first, 1, -1 do
    local speed = max(1, floor(top / 4 ^ (at - 1)))
    local steps = max(0, ceil((debt - plenty - (at - 1) * band) / rate))
    if distance and steps * speed >= distance - sum then return time + ceil((distance - sum) / speed) end
    if elapsed and steps > elapsed - time then steps = elapsed - time end
    sum, time, debt = sum + steps * speed, time + steps, debt - steps * rate
  end
  if distance then return time + ceil((distance - sum) / top) end
  return sum + (elapsed - time) * top
end
