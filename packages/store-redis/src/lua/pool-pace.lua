-- Adds the numbers of the virtual clock to the rule of a pool.
--@ takes pooled
if not pooled.kept then
  local capacity, unit, rate = pooled.capacity, pooled.unit, pooled.rate
  local room, per_unit, plenty, band, top, kept
  --@ include "pace.lua"
  pooled.plenty, pooled.band, pooled.per_unit, pooled.top, pooled.kept = plenty, band, per_unit, top, kept
end
