-- Moves the tag of a tenant on, or back.
--@ takes item cost mode fits allowed wait
--@ gives turned
local shared, pool, terms, known, tag = item.shared, item.pool, item.terms, item.known, nil
local pooled, reading = pool.rule, pool.reading
local per_unit, capacity = pooled.per_unit, pooled.capacity
local distance = floor(min(cost < 0 and -cost or cost, capacity) * per_unit / shared.weight)
if fits and allowed and cost ~= 0 and mode == MODE.SETTLE then
  if known then tag = known + (cost < 0 and -distance or distance)
  elseif cost > 0 then tag = reading + distance end
elseif fits and allowed and cost ~= 0 and mode <= MODE.SHADOW then
  local lowest = reading - max(0, item.spare - cost) * per_unit
  -- With a ticket the units were counted when it was given.
  if shared.receipt >= 0 and shared.of == pool.began and known then tag = known
  else tag = (known and max(lowest, known) or lowest) + distance end
  if pool.used + cost * pooled.unit <= pooled.plenty and tag > reading then tag = reading end
elseif not fits and wait and mode == MODE.CHARGE and terms.wait > 0 and shared.receipt == -2 then
  -- Promises the tenant its next turn: the tag before these units is its ticket.
  tag = item.start + floor(min(item.need, capacity) * per_unit / shared.weight)
end
if tag then
  turned = true
  item.till, item.tag, item.epoch = ceil((now + pooled.kept) / 1e6) * 1e6, min(tag, reading + 281474976710656), pool.began
end
