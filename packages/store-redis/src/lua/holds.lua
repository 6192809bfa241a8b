-- Changes a quota that has holds, or gets one. Mirrors core/src/algorithms/holds.ts and quota.ts.
local terms, back = item.terms, item.back or 0
local is_open = state and now < state.ends
local refunds = cost < 0 and is_open and state.ends == item.charged_to
if back > 0 or cost > 0 or refunds then
  local cooldown, ends, used, granted, ring = state and state.cooldown or 0, 0, 0, 0, {}
  if is_open then
    ends, used, granted = state.ends, state.count, state.granted or 0
    for i = 5, #state - 1, 2 do
      local ending_at, units = state[i], state[i + 1]
      if back > 0 and ending_at == terms.to then units = units - back end
      if ending_at > now and units > 0 then ring[#ring + 1], ring[#ring + 2] = ending_at, units end
    end
  elseif cost > 0 then
    ends = rule.edge1 and ending(rule.edge1, rule.edge2, rule.edge3) or now + rule.length
  end
  if cost > 0 and item.mode == MODE.GRANT then granted = math.min(granted + cost, MOST_UNITS)
  elseif cost > 0 and terms and terms.ttl > 0 and item.mode ~= MODE.SETTLE then
    local slice = ceil(terms.ttl / 8)
    local to, at = math.min(now - now % slice + slice + terms.ttl, ends), #ring + 1
    while at > 1 and ring[at - 2] > to do at = at - 2 end
    if at > 1 and ring[at - 2] == to then ring[at - 1] = ring[at - 1] + cost
    else
      table.insert(ring, at, cost)
      table.insert(ring, at, to)
    end
    -- Holds of several lengths may need too many sub-windows. The first is merged into the next, which ends later.
    while #ring > 32 do
      ring[4] = ring[4] + ring[2]
      table.remove(ring, 1)
      table.remove(ring, 1)
    end
  elseif cost > 0 then used = math.min(used + cost, MOST_COUNTED)
  elseif refunds then used = used > -cost and used + cost or 0 end
  state = { cooldown, ends, used }
  if granted > 0 or #ring > 0 then state[4] = granted end
  for i = 1, #ring do state[4 + i] = ring[i] end
end
