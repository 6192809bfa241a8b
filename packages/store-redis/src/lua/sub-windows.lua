-- Charges the sub-window of this instant. Returns the new state. A changed window may leave more sub-windows than the rule has: the
-- oldest are merged.
charge_sub_window = function(state, rule, cost)
  local leaves, placed = now - now % rule.slice + rule.slice + rule.window, false
  local list, sum = { state and state.cooldown or 0 }, 0
  for i = 2, state and #state - 1 or 0, 2 do
    if state[i] > now then sum = sum + state[i + 1] end
  end
  local units = min(cost, MOST.COUNTED - sum)
  for i = 2, state and #state - 1 or 0, 2 do
    local leaving, count = state[i], state[i + 1]
    if leaving > now or #list > 1 then
      if not placed and leaving == leaves then count, placed = count + units, true end
      if not placed and leaving > leaves then
        list[#list + 1], list[#list + 2], placed = leaves, units, true
      end
      list[#list + 1], list[#list + 2] = leaving, count
    end
  end
  if not placed then list[#list + 1], list[#list + 2] = leaves, units end
  while #list > 2 * rule.precision + 3 do
    list[5] = list[5] + list[3]
    table.remove(list, 2)
    table.remove(list, 2)
  end
  return list
end

-- Gives units of one sub-window back.
refund_sub_window = function(state, charged_to, units)
  for i = 2, #state - 1, 2 do
    if state[i] == charged_to then
      if state[i + 1] > units then state[i + 1] = state[i + 1] - units
      else
        table.remove(state, i)
        table.remove(state, i)
      end
      return
    end
  end
end
