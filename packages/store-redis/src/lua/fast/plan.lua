-- Prepares a run of groups for the fast paths. Each of its demands must charge a bucket or a window, and a penalty must only
-- be watched or read. Notes the terms of each demand: the unit, or false for a window; the rate, or the end of a window that
-- begins now; the cost and the capacity in the terms of the counter.
local first = flags == 1 and start + 3 or start
local plain = count > 0 and (flags == 0 or flags == 1 and groups[start + 1] <= PENALTY.READ)
for d = 1, plain and count or 0 do
  local i = first + 3 * d - 3
  local rule, cost = rules[groups[i]], groups[i + 1]
  if rule.kind > KIND.WINDOW or cost <= 0 or groups[i + 2] % PENALIZED ~= MODE.CHARGE then
    plain = false
    break
  end
  if rule.kind == KIND.BUCKET then
    units[d], rates[d], costs[d], rooms[d] = rule.unit, rule.rate, cost * rule.unit, rule.capacity * rule.unit
  else
    units[d], costs[d], rooms[d] = false, cost, rule.capacity
    rates[d] = rule.edge1 and ending(rule.edge1, rule.edge2, rule.edge3) or now + rule.length
  end
end
local single, own = plain and units[1] and count == 1 and flags == 0, rules[groups[first]]
local unit, rate, cost, room = units[1], rates[1], costs[1], rooms[1]
local refuses = single and own.cooldown == 0
