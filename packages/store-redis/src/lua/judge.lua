-- First pass: judges each demand. `used` is the debt or the count of its counter at this instant.
--@ takes count items rules keys raw wrote penalized repeated
--@ gives k allowed refused failed
for d = 1, count do
  local item, key = items[d], keys[k + d]
  local rule, mode, terms = item.own, item.mode, item.terms
  if penalized and item.reduces then rule = rules[rule.reduced] end
  local value, kind, state, used, back, line = wrote[key], rule.kind, false, 0, 0, false
  if value == nil then value = raw[k + d] end
  item.key, item.value, item.cooldown, item.clock = key, value, 0, false
  if not value then state = false
  elseif kind == KIND.BUCKET then
    local size, at, debt, unit, rate = #value, 0, 0, 1, 1
    if size >= 32 then at, debt, unit, rate = unpackd('>dddd', value) end
    if size % 2 == 1 then
      --@ include "take-clock.lua"
    end
    if size > 40 then
      --@ need "line.lua"
      if size < 88 or size % 16 ~= 8 or unpackd('>d', value, 41) ~= 1 then failed = NEWER
      else
        value = string.sub(value, 1, size)
        line = read_line(value)
        -- A line that is over may still be stored. Its counter equals a fresh one.
        if max(max(line.at, line.cooldown) + ceil(line.debt / line.rate), line.kept + 1) <= now then line = false
        else
          -- What is stored is read again for the reply if nothing is written: nothing else needs the numbers before the payment.
          item.stored, state = value, line
          -- A correction leaves a line the numbers that it has.
          if mode == MODE.SETTLE and (line.unit ~= rule.unit or line.rate ~= rule.rate) then
            rule = rule{ kind = kind, cooldown = rule.cooldown, reduced = 0, capacity = rule.capacity, unit = line.unit, rate = line.rate }
          end
          pay(line, rule.capacity, rule.unit, rule.rate)
          used = line.debt
        end
      end
    elseif size >= 32 then
      state, item.at, item.debt, item.unit, item.rate = item, at, debt, unit, rate
      if size == 40 then item.cooldown = unpackd('>d', value, 33) end
      local elapsed = now > at and now - at or 0
      if elapsed * rate < debt then
        if unit == rule.unit and rate == rule.rate then used = debt - elapsed * rate
        else
          -- A correction leaves a bucket the numbers that it has, which may be newer.
          if mode == MODE.SETTLE then
            rule = rule{ kind = kind, cooldown = rule.cooldown, reduced = 0, capacity = rule.capacity, unit = unit, rate = rate }
          end
          --@ need "in-units.lua"
          used = max(0, in_units(debt, unit, rule.unit) - elapsed * rule.rate)
        end
      end
    end
  elseif kind == KIND.WINDOW then
    if #value >= 24 and #value % 8 == 0 then
      local cooldown, ends, count = unpackd('>ddd', value)
      state, item.cooldown, item.ends, item.count, item.granted, item.ring = item, cooldown, ends, count, false, ''
      if now < ends then used = count end
      if #value > 24 then
        if #value > 32 and #value % 16 ~= 0 then failed = NEWER end
        local granted, ring = unpackd('>d', value, 25), string.sub(value, 33)
        item.granted, item.ring = granted, ring
        if now < ends then
          used = used - granted
          for from = 1, #ring - 15, 16 do
            local to, units = unpackd('>dd', ring, from)
            if now < to then
              used = used + units
              if terms and terms.receipt == to then back = min(terms.of, units) end
            end
          end
        end
      end
    end
  elseif kind == KIND.TAG then
    if #value == 20 then
      local tag, epoch, till = unpackd('>ddI4', value)
      state, item.till, item.tag, item.epoch = item, till * 1e6, tag, epoch
    end
  elseif #value % 16 == 8 then
    --@ need "numbers.lua"
    state = numbers(value)
    for i = 2, #state - 1, 2 do if now < state[i] then used = used + state[i + 1] end end
  end
  -- What tells is never refused. A repeated call takes its permits like any other, and is not charged otherwise.
  local fits = repeated and kind ~= KIND.PERMITS or mode >= MODE.SETTLE
  if terms then
    local shared, pool, cost, least = item.shared, item.pool, item.cost, terms.least
    -- The units that must be left for the demand to pass: the fewest that it accepts, and the units that it leaves to others.
    local own = least >= 0 and least or cost
    local others = terms.headroom > 0 and ceil(terms.headroom * rule.capacity - 1e-6) or 0
    local need = own + others
    local placed = kind == KIND.BUCKET and terms.receipt >= 0
    if line and placed and mode == MODE.SETTLE and cost < 0 then leave(line, -cost, terms, rule.capacity * rule.unit) end
    if pool and not (repeated and kind ~= KIND.PERMITS) then
      if kind == KIND.TAG then
        --@ include "turn.lua"
      elseif not fits then
        local own_units, pooled = used + need, pool.rule
        local factor = min(4 * shared.weight, max(4, floor(pooled.capacity / 5)))
        fits = need == 0 or pool.used == 0 or own_units <= 1 or own_units <= factor * (pooled.capacity - pool.used - need)
      end
    elseif not pool and not fits and not (state and now < state.cooldown) then
      -- The turn of the place has come, and it was charged then.
      if placed then fits = true
      elseif kind == KIND.BUCKET then fits = used + need * rule.unit <= rule.capacity * rule.unit
      else fits = back > 0 and own <= back or used + need - back <= rule.capacity end
    end
    -- A policy that only reports is charged on its pool and on the share, or on neither.
    if pool and mode == MODE.SHADOW and fits ~= pool.fits then fits, pool.fits = false, false end
    item.need, item.back, item.others, item.placed = need - back, back, others, placed
  elseif not fits and not (state and now < state.cooldown) then
    if kind == KIND.BUCKET then fits = used + item.cost * rule.unit <= rule.capacity * rule.unit
    else fits = used + item.cost <= rule.capacity end
  end
  if not fits and mode ~= MODE.SHADOW then
    allowed = false
    if mode ~= MODE.PEEK then refused = true end
  end
  item.rule, item.state, item.used, item.fits, item.line, item.short, item.next = rule, state, used, fits, line, false, false
end
k = k + count
