-- Second pass: makes every charge, or only the cool-downs that start.
--@ takes count flags items allowed repeated wait joins failed
for d = 1, failed and 0 or count do
  local item = items[d]
  local rule, own, cost, mode, state, fits = item.rule, item.own, item.cost, item.mode, item.state, item.fits
  local kind, starts, turned = rule.kind, false, false
  if item.start and not repeated then
    --@ include "charge-turn.lua"
  end
  if mode == MODE.BLOCK then
    local blocked = state and state.cooldown or 0
    if rule.cooldown == 0 then starts = blocked > now else starts = now + rule.cooldown > blocked end
  elseif not fits and own.cooldown > 0 and not wait and mode ~= MODE.PEEK then
    --@ include "starts-cooldown.lua"
  end
  item.starts = false
  -- What time has paid back since the charge is not given back again.
  if cost < 0 and kind == KIND.BUCKET and item.charged_to > 0 then
    cost = min(0, cost + ceil(max(0, now - item.charged_to) * rule.rate / rule.unit))
  end
  if turned or kind ~= KIND.TAG and (not repeated or kind == KIND.PERMITS) and (starts or fits and allowed
    and (cost ~= 0 or flags >= 4 and item.back > 0 or mode > MODE.BLOCK and kind <= KIND.WINDOW)
    and (mode >= MODE.SETTLE or mode <= MODE.SHADOW and not (flags >= 4 and item.placed))) then
    local line, value, fresh = item.line, nil, nil
    if turned then state = item
    elseif starts then
      item.starts = true
      if not state then
        if kind <= KIND.WINDOW then state = item else state = { 0 } end
        if kind == KIND.BUCKET then item.at, item.debt, item.unit, item.rate = now, 0, rule.unit, rule.rate
        elseif kind == KIND.WINDOW then item.ends, item.count, item.granted, item.ring = 0, 0, false, '' end
      end
    elseif kind == KIND.BUCKET then
      local terms, used = item.terms, item.used
      -- Units that may be used later are charged as if they were used at the end of their time.
      if terms and terms.keep > 0 and not joins then used = max(used, terms.keep * rule.rate) end
      local owed = used + cost * rule.unit
      if line or mode > MODE.BLOCK or joins or flags >= 4 and item.placed then
        --@ need "line.lua"
        state, owed = change_line(item, cost, owed, joins and mode ~= MODE.SHADOW)
        line = item.line
      end
      if owed then
        if owed < 0 then owed = 0 elseif owed > MOST.DEBT then owed = MOST.DEBT end
        item.at, item.debt, item.unit, item.rate = state and item.at > now and item.at or now, owed, rule.unit, rule.rate
        state = item
      end
    elseif kind == KIND.WINDOW then
      local is_open, terms = state and now < item.ends, item.terms
      local back = flags >= 4 and item.back or 0
      if mode == MODE.RESET then
        if is_open then item.ends, item.count = item.ends - 1, 0 else state = false end
      elseif back > 0 or terms and terms.keep > 0 or state and item.ring ~= '' then
        if cost > 0 or back > 0 or is_open and (item.ends == item.charged_to or mode == MODE.GRANT) then
          --@ need "holds.lua"
          change_holds(item, cost, back)
          state = item
        end
      elseif cost > 0 then
        if not is_open then
          local ends
          --@ include "window-end.lua"
          state, item.ends, item.count, item.granted, item.ring = item, ends, 0, false, ''
        end
        if mode == MODE.GRANT then item.granted = min((item.granted or 0) + cost, MOST.UNITS)
        else item.count = min(item.count + cost, MOST.COUNTED) end
      elseif is_open and mode == MODE.GRANT then item.granted = (item.granted or 0) > -cost and item.granted + cost
      elseif is_open and item.ends == item.charged_to then
        item.count = item.count > -cost and item.count + cost or 0
      end
    elseif cost > 0 then
      --@ need "sub-windows.lua"
      state = charge_sub_window(state, rule, cost)
    elseif state and now < item.charged_to then
      --@ need "sub-windows.lua"
      refund_sub_window(state, item.charged_to, -cost)
    end
    if state then
      if line and line.debt <= rule.capacity * rule.unit and now > line.kept and now >= line.cooldown then
        item.cooldown, item.at, item.debt, item.unit, item.rate = line.cooldown, line.at, line.debt, line.unit, line.rate
        state, line, item.line = item, false, false
      end
      local cooldown = state.cooldown
      if starts and rule.cooldown > 0 then cooldown = now + rule.cooldown elseif starts or cooldown <= now then cooldown = 0 end
      -- A line is kept no longer than without the cool-down that ends.
      if starts and line and cooldown == 0 then line.kept = now + 2500000 end
      state.cooldown = cooldown
      if line then value, fresh = pack_line(line, rule.capacity * rule.unit)
      elseif kind == KIND.BUCKET then
        local at, debt, unit, rate = item.at, item.debt, item.unit, item.rate
        fresh = at + debt / rate
        if item.clock then value = ''
        elseif cooldown > 0 then value = pack('>ddddd', at, debt, unit, rate, cooldown)
        else value = pack('>dddd', at, debt, unit, rate) end
        -- A correction may have kept other numbers than those of its demand, or than the reduced ones.
        item.short = at == now and fits and cost > 0 and cooldown == 0 and (mode ~= MODE.SETTLE or not item.reduces and unit == own.unit and rate == own.rate)
      elseif kind == KIND.WINDOW then
        fresh, value = item.ends, pack('>ddd', cooldown, item.ends, item.count)
        if item.granted then value = value .. pack('>d', item.granted) .. item.ring end
        item.short = fits and cost > 0 and cooldown == 0 and mode == MODE.CHARGE
      elseif kind == KIND.TAG then
        fresh, value = item.till, pack('>ddI4', item.tag, item.epoch, item.till / 1e6)
        item.short = fits and mode == MODE.CHARGE
      else
        fresh, value = #state > 2 and state[#state - 1] or 0, pack('>' .. string.rep('d', #state), unpack(state))
        item.short = fits and cost > 0 and cooldown == 0 and mode == MODE.CHARGE
      end
      if cooldown > fresh then fresh = cooldown end
      -- A clock begins with the first debt.
      if item.clock and (fresh > now or item.began < now) then
        --@ include "put-clock.lua"
      end
      item.next, item.fresh, item.state = value, fresh, state
    end
  end
end
