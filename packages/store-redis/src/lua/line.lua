-- The line of a token bucket. Mirrors core/src/algorithms/line.ts. A counter in Redis with a line is packed doubles: instant, debt,
-- unit, rate, cool-down, parts, the six numbers of the line, then its holes. The holes stay packed: most steps need the first
-- and the last alone.

-- The functions are made when the first line of a call is met, because nearly no call meets one.
read_line = function(value)
  local at, debt, unit, rate, cooldown, parts, born, tail, pool, kept, gone = unpackd('>ddddddddddd', value)
  return { cooldown, at, debt, unit, rate, parts, born, tail, pool, kept, gone, string.sub(value, 89) }
end

-- Removes the holes that the front has reached, and those at the end. Applies what is left of the refunds if nobody waits.
local function sweep(state, room)
  local holes, unit = state.holes, state.unit
  local from, to = 1, #holes
  while from < to do
    local position, units = unpackd('>dd', holes, from)
    if state.debt - (state.tail - position + units) * unit > room then break end
    from, state.gone, state.debt = from + 16, state.gone - units, state.debt - units * unit
  end
  while from < to do
    local position, units = unpackd('>dd', holes, to - 15)
    if position ~= state.tail then break end
    to, state.tail, state.gone, state.debt = to - 16, state.tail - units, state.gone - units, state.debt - units * unit
  end
  if to - from < #holes - 1 then state.holes = string.sub(holes, from, to) end
  if state.debt <= room then state.debt, state.pool = math.max(0, state.debt - state.pool), 0 end
end

-- Brings a line to this instant, and into the terms of a rule.
pay = function(state, capacity, unit, rate)
  local at, old_unit, pool = state.at, state.unit, state.pool
  local from = math.max(at, math.min(state.cooldown, now))
  local elapsed = now > from and now - from or 0
  local extra, room = math.min(pool, math.max(state.rate, math.floor(pool / 1e6)) * elapsed), capacity * old_unit
  -- The server's own clock is believed if it stepped back, and the time until then is not paid again.
  if now > at or expiry == 'PXAT' then state.at = now end
  state.debt, state.pool = state.debt - state.rate * elapsed - extra, pool - extra
  if state.debt <= room then state.debt, state.pool = math.max(0, state.debt - state.pool), 0 end
  sweep(state, room)
  if old_unit ~= unit then
    local whole, kept = math.floor(state.debt / old_unit), math.floor(state.pool / old_unit)
    state.debt = math.min(whole * unit + ceil((state.debt - whole * old_unit) / old_unit * unit), MAX)
    state.pool = math.min(kept * unit + math.floor((state.pool - kept * old_unit) / old_unit * unit), MAX)
  end
  state.unit, state.rate = unit, rate
end

-- Removes a place from a paid line. Returns false if there are too many holes.
leave = function(state, units, position, room)
  local unit, holes = state.unit, state.holes
  if position == state.tail then
    state.tail, state.debt = state.tail - units, state.debt - units * unit
  elseif state.debt - (state.tail - position + units) * unit <= room then
    state.debt = state.debt - units * unit
  else
    local at, last, before = 1, nil, 0
    while at < #holes do
      local here, count = unpackd('>dd', holes, at)
      if here >= position then break end
      at, last, before = at + 16, here, count
    end
    if last ~= position - units then before = 0 end
    local here, count = nil, 0
    if at < #holes then here, count = unpackd('>dd', holes, at) end
    local touches = here and here - count == position
    if before == 0 and not touches and #holes >= 2048 then return false end
    state.gone = state.gone + units
    local head = string.sub(holes, 1, before > 0 and at - 17 or at - 1)
    if touches then state.holes = head .. pack('>dd', here, count + (units + before)) .. string.sub(holes, at + 16)
    else state.holes = head .. pack('>dd', position, units + before) .. string.sub(holes, at) end
  end
  sweep(state, room)
  return true
end

-- Lets a capacity of a paid line start at once.
reset_line = function(state, room)
  state.cooldown, state.debt = 0, math.max(0, state.debt - room)
  sweep(state, room)
end
