-- Changes a bucket. Its line, if it has one, is paid.
local line, terms, room = item.paid, item.terms, rule.capacity * rule.unit
local place = terms and terms.position >= 0
if item.mode == MODE.RESET then
  if line then reset_line(state, room) elseif state then state.cooldown, state.debt = 0, 0 end
elseif item.mode == MODE.LOOK or place and item.mode == MODE.SETTLE and cost < 0 then
  -- The line is paid, and the place removed from it.
else
  local owed = item.used + cost * rule.unit
  if line and cost < 0 and line.debt > room then
    -- A refund brings those who wait forward evenly: at most a capacity, because time has paid the rest already.
    line.pool, owed = math.min(line.pool + math.min(-cost * rule.unit, room), MAX), line.debt
  end
  if owed < 0 then owed = 0 elseif owed > MAX then owed = MAX end
  state = line or { state and state.cooldown or 0, state and state.at > now and state.at or now, owed, rule.unit, rule.rate }
  if item.joins or place and item.mode == MODE.SETTLE then
    if line then line.tail = line.tail + cost
    elseif owed > room or now < state.cooldown then
      state = { state.cooldown, state.at, owed, rule.unit, rule.rate, 1, now, cost, 0, 0, 0, '' }
    end
  end
  state.debt = owed
end
