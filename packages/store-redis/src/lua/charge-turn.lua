-- Moves the tag of a tenant on, or back.
local turn, shared, pool, terms, tag = item.turn, item.shared, item.pool, item.terms, nil
local pace, pooled = turn.pace, pool.rule
local room = pooled.capacity
local distance = math.floor(math.min(math.abs(cost), room) * pace.per_unit / shared.weight)
if fits and allowed and cost ~= 0 and item.mode == MODE.SETTLE then
  if turn.known then tag = turn.known + (cost < 0 and -distance or distance)
  elseif cost > 0 then tag = turn.reading + distance end
elseif fits and allowed and cost ~= 0 and item.mode <= MODE.SHADOW then
  local lowest = turn.reading - math.max(0, turn.left - cost) * pace.per_unit
  -- With a ticket the units were counted when it was given.
  if shared.tag >= 0 and shared.epoch == turn.epoch and turn.known then tag = turn.known
  else tag = (turn.known and math.max(lowest, turn.known) or lowest) + distance end
  if pool.used + cost * pooled.unit <= pace.plenty and tag > turn.reading then tag = turn.reading end
elseif not fits and wait and item.mode == MODE.CHARGE and terms.wait > 0 and shared.tag == -2 then
  -- Promises the tenant its next turn: the tag before these units is its ticket.
  tag = turn.start + math.floor(math.min(item.need, room) * pace.per_unit / shared.weight)
end
if tag then turned = { 0, ceil((now + pace.kept) / 1e6) * 1e6, math.min(tag, turn.reading + 281474976710656), turn.epoch } end
