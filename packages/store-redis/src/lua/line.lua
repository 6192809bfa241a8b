-- The line of a token bucket. Mirrors core/src/algorithms/line.ts. A counter in Redis with a line is packed doubles: instant, debt,
-- unit, rate, cool-down, parts, the six numbers of the line, then its holes. The holes stay packed: most steps need the first
-- and the last alone.

-- Returns the numbers of a line.
read_line = function(value)
  local at, debt, unit, rate, cooldown, parts, born, tail, pool, kept, gone = unpackd('>ddddddddddd', value)
  return { cooldown, at, debt, unit, rate, parts, born, tail, pool, kept, gone, string.sub(value, 89) }
end

-- Removes the holes that the front has reached, and those at the end. Applies what is left of the refunds if nobody waits.
local function sweep(line, room)
  local holes, unit = line.holes, line.unit
  local from, to = 1, #holes
  while from < to do
    local position, units = unpackd('>dd', holes, from)
    if line.debt - (line.tail - position + units) * unit > room then break end
    from, line.gone, line.debt = from + 16, line.gone - units, line.debt - units * unit
  end
  while from < to do
    local position, units = unpackd('>dd', holes, to - 15)
    if position ~= line.tail then break end
    to, line.tail, line.gone, line.debt = to - 16, line.tail - units, line.gone - units, line.debt - units * unit
  end
  if to - from < #holes - 1 then line.holes = string.sub(holes, from, to) end
  if line.debt <= room then line.debt, line.pool = max(0, line.debt - line.pool), 0 end
end

-- Brings a line to this instant, and into the terms of a rule.
pay = function(line, capacity, unit, rate)
  local at, old_unit, pool = line.at, line.unit, line.pool
  local from = max(at, min(line.cooldown, now))
  local elapsed = now > from and now - from or 0
  local extra, room = min(pool, max(line.rate, floor(pool / 1e6)) * elapsed), capacity * old_unit
  -- The server's own clock is believed if it stepped back, and the time until then is not paid again.
  if now > at or expiry == 'PXAT' then line.at = now end
  line.debt, line.pool = line.debt - line.rate * elapsed - extra, pool - extra
  if line.debt <= room then line.debt, line.pool = max(0, line.debt - line.pool), 0 end
  sweep(line, room)
  if old_unit ~= unit then
    --@ need "in-units.lua"
    local kept = floor(line.pool / old_unit)
    line.debt = in_units(line.debt, old_unit, unit)
    line.pool = min(kept * unit + floor((line.pool - kept * old_unit) / old_unit * unit), MOST.DEBT)
  end
  line.unit, line.rate = unit, rate
end

-- Removes a place from a paid line. A place that the line does not have was at its turn: its units are given back.
leave = function(line, units, terms, room)
  local unit, holes, position = line.unit, line.holes, terms.receipt
  local there = line.born == terms.of and position <= line.tail and position >= units
  if there and position == line.tail then
    line.tail, line.debt = line.tail - units, line.debt - units * unit
  elseif there and line.debt - (line.tail - position + units) * unit > room then
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
    -- With too many holes the place stays, and time passes it.
    if before > 0 or touches or #holes < 2048 then
      line.gone = line.gone + units
      local head = string.sub(holes, 1, before > 0 and at - 17 or at - 1)
      if touches then line.holes = head .. pack('>dd', here, count + (units + before)) .. string.sub(holes, at + 16)
      else line.holes = head .. pack('>dd', position, units + before) .. string.sub(holes, at) end
    end
  else
    line.debt = line.debt - units * unit
  end
  sweep(line, room)
end

-- Changes a bucket that has a line, gets one because the demand joins it, is looked at or reset. Its line, if it has one, is paid.
-- Returns the state; or, where the bucket needs no line, nil and its new debt.
change_line = function(item, cost, owed, joins)
  local rule, line, state = item.rule, item.line, item.state
  local room, settles = rule.capacity * rule.unit, item.terms and item.placed
  if item.mode == MODE.RESET then
    -- Of a line, a capacity starts at once.
    if line then
      line.cooldown, line.debt = 0, max(0, line.debt - room)
      sweep(line, room)
    elseif state then state.cooldown, state.debt = 0, 0 end
    return state
  end
  -- Where a place was left, the line is paid, and the place removed from it.
  if item.mode == MODE.LOOK or settles and cost < 0 and (line or not state) then return state end
  if line and cost < 0 and line.debt > room then
    -- A refund brings those who wait forward evenly: at most a capacity, because time has paid the rest already.
    line.pool, owed = min(line.pool + min(-cost * rule.unit, room), MOST.DEBT), line.debt
  end
  owed = max(0, min(owed, MOST.DEBT))
  if cost > 0 and (joins or settles) then
    if line then line.tail = line.tail + cost
    elseif owed > room or now < item.cooldown then
      item.line = { item.cooldown, state and state.at > now and state.at or now, owed, rule.unit, rule.rate, 1, now, cost, 0, 0, 0, '' }
      return item.line
    end
  end
  if not line then return nil, owed end
  line.debt = owed
  return line
end

-- Keeps a line that changed for as long as somebody may wait in it, and 2.5 s longer, so that every process hears of its end.
-- Returns its packed numbers, and the instant from which it equals a fresh counter.
pack_line = function(line, room)
  if line.debt > room or now < line.cooldown then
    local kept = max(now, line.cooldown) + max(0, ceil((line.debt - room) / line.rate)) + 2500000
    if kept > line.kept then line.kept = min(kept, MOST.DEBT) end
  end
  return pack('>ddddddddddd', line.at, line.debt, line.unit, line.rate, line.cooldown, 1, line.born, line.tail, line.pool, line.kept, line.gone) .. line.holes,
    max(max(line.at, line.cooldown) + ceil(line.debt / line.rate), line.kept + 1)
end
