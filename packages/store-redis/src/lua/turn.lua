-- The turn of a tenant in a bucket that tenants share. Mirrors core/src/algorithms/turn-share.ts.
if not pace_of then
  --@ include "virtual-clock.lua"
end
local pool = items[shared.pool]
local pooled = pool.rule
local pace, unit = pace_of(pooled.capacity, pooled.unit, pooled.rate), pooled.unit
if not pool.clock then pool.clock = { 70368744177664, now } end
local reading, epoch = pool.clock[1], pool.clock[2]
local left = math.floor((pooled.capacity * unit - pool.used) / unit)
local known = state and state.epoch == epoch and now < state.till and state.tag or false
turn = turn{ pace = pace, reading = reading, epoch = epoch, left = left, known = known, start = known, plenty = pool.used + need * unit <= pace.plenty }
-- A ticket is void as well once the tag that it was taken from is forgotten or reset.
if shared.tag >= 0 then turn.start = known and shared.epoch == epoch and shared.tag or false end
local lowest = reading - math.max(0, left - need) * pace.per_unit
turn.start = turn.start and math.max(lowest, turn.start) or lowest
fits = mode == MODE.SETTLE or need == 0 or turn.plenty or turn.start <= reading
