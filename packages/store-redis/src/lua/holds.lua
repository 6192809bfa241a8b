-- Changes a quota that has holds, or gets one: charges it, grants it units, refunds it, or gives units back. Mirrors
-- core/src/algorithms/holds.ts and quota.ts. The holds stay packed: the instant and the units of each edge, one after the other.
change_holds = function(item, cost, back)
  local terms, rule, ring, is_open = item.terms, item.rule, '', item.state and now < item.ends
  if is_open then
    local from, size = 1, #item.ring
    while from < size and unpackd('>d', item.ring, from) <= now do from = from + 16 end
    ring = string.sub(item.ring, from)
  elseif cost > 0 then
    local ends
    --@ include "window-end.lua"
    item.ends, item.count, item.granted = ends, 0, 0
  end
  if back > 0 then
    local at = 1
    while unpackd('>d', ring, at) ~= terms.receipt do at = at + 16 end
    local left = unpackd('>d', ring, at + 8) - back
    ring = string.sub(ring, 1, at - 1) .. (left > 0 and pack('>dd', terms.receipt, left) or '') .. string.sub(ring, at + 16)
  end
  if item.mode == MODE.GRANT then item.granted = max(0, min((item.granted or 0) + cost, MOST.UNITS))
  elseif cost > 0 and terms and terms.keep > 0 then
    local slice, at, units = 131072, #ring + 1, cost
    while slice * 8 < terms.keep do slice = slice * 2 end
    local to, after = min(ceil((now + terms.keep) / slice) * slice, item.ends), at
    while at > 1 and unpackd('>d', ring, at - 16) >= to do at = at - 16 end
    if at < after and unpackd('>d', ring, at) == to then units, after = units + unpackd('>d', ring, at + 8), at + 16 else after = at end
    ring = string.sub(ring, 1, at - 1) .. pack('>dd', to, units) .. string.sub(ring, after)
  elseif cost > 0 then item.count = min(item.count + cost, MOST.COUNTED)
  elseif cost < 0 and item.ends == item.charged_to then item.count = item.count > -cost and item.count + cost or 0 end
  item.ring, item.granted = ring, (item.granted or 0) > 0 and item.granted or ring ~= '' and 0
end
