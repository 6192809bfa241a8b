-- Judges the turn of a tenant in a bucket that tenants share. Mirrors core/src/algorithms/turn-share.ts.
--@ takes item shared pool state need mode
--@ gives fits
local pooled = pool.rule
--@ include "pool-pace.lua"
local unit = pooled.unit
if not pool.clock then pool.clock, pool.reading, pool.began = true, 70368744177664, now end
local reading = pool.reading
local spare = floor((pooled.capacity * unit - pool.used) / unit)
local known = state and state.epoch == pool.began and now < state.till and state.tag or false
local lowest, start = reading - max(0, spare - need) * pooled.per_unit, known
-- A ticket is void as well once the tag that it was taken from is forgotten or reset.
if shared.receipt >= 0 then start = known and shared.of == pool.began and shared.receipt or false end
start = start and max(lowest, start) or lowest
item.known, item.spare, item.start = known, spare, start
fits = mode == MODE.SETTLE or need == 0 or pool.used + need * unit <= pooled.plenty or start <= reading
