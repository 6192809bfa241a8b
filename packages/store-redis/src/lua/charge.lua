-- Second pass: writes every charge, or only the cool-downs that start.
for d = 1, failed and 0 or count do
  local item = items[d]
  local rule, own, cost, state, fits, fresh = item.rule, item.own, item.cost, item.state, item.fits, nil
  local turned
  if item.turn and not repeated then
    --@ include "charge-turn.lua"
  end
  local kind, starts = rule.kind, not fits and own.cooldown > 0 and not wait and item.mode ~= MODE.SETTLE
  if starts then
    local blocked = state and state.cooldown or 0
    starts = item.mode == MODE.BLOCK and now + rule.cooldown > blocked or cost <= own.capacity and now >= blocked
    -- A refusal in favour of others starts no cool-down.
    if starts and item.others and item.others > 0 and item.mode ~= MODE.BLOCK then
      local rest = item.need - item.others
      if kind == KIND.BUCKET then starts = item.used + rest * rule.unit > rule.capacity * rule.unit
      else starts = item.used + rest > rule.capacity end
    end
  end
  if turned or rule.kind ~= KIND.TAG and item.mode ~= MODE.PEEK and (not repeated or kind == KIND.LEASES) and (starts or fits and allowed and item.mode ~= MODE.HOLD
    and (cost ~= 0 or item.back and item.back > 0 or item.mode >= MODE.LOOK and kind == KIND.BUCKET) and (not item.holds or item.mode == MODE.SETTLE or item.mode >= MODE.LOOK)) then
    -- A line is paid before it changes.
    state = item.paid or state
    if turned then state = turned
    elseif starts then
      item.starts = true
      if not state then
        state = kind == KIND.BUCKET and { 0, now, 0, rule.unit, rule.rate } or kind == KIND.WINDOW and { 0, 0, 0 } or { 0 }
      end
    elseif kind == KIND.BUCKET then
      --@ include "charge-bucket.lua"
    elseif kind == KIND.WINDOW and (state and #state > 4 or item.ttl and item.ttl > 0) then
      --@ include "holds.lua"
    elseif kind == KIND.WINDOW then
      if cost > 0 then
        if not state or now >= state.ends then
          state = {
            state and state.cooldown or 0,
            rule.edge1 and ending(rule.edge1, rule.edge2, rule.edge3) or now + rule.length,
            0
          }
        end
        if item.mode == MODE.GRANT then state.granted = math.min((state.granted or 0) + cost, MOST_UNITS)
        else state.count = math.min(state.count + cost, MOST_COUNTED) end
      elseif state and now < state.ends and state.ends == item.charged_to then
        state.count = state.count > -cost and state.count + cost or 0
      end
    elseif cost > 0 then
      --@ include "sub-windows.lua"
    elseif now < item.charged_to then
      for i = 2, state and #state - 1 or 0, 2 do
        if state[i] == item.charged_to then
          if state[i + 1] > -cost then state[i + 1] = state[i + 1] + cost
          else
            table.remove(state, i)
            table.remove(state, i)
          end
          break
        end
      end
    end
    if state then
      if kind == KIND.BUCKET and #state > 5 then
        -- A line is kept for as long as somebody may wait in it, and 2.5 s longer, so that every process hears of its end.
        local room = rule.capacity * rule.unit
        local blocked = starts and now + rule.cooldown or state.cooldown
        if state.debt <= room and now > state.kept and now >= state.cooldown then
          state = { state.cooldown, state.at, state.debt, state.unit, state.rate }
        elseif state.debt > room or now < blocked then
          local kept = math.max(now, blocked) + math.max(0, ceil((state.debt - room) / rule.rate)) + 2500000
          if kept > state.kept then state.kept = math.min(kept, MAX) end
        end
      end
      if starts then state.cooldown = now + rule.cooldown elseif state.cooldown <= now then state.cooldown = 0 end
      local value
      if kind == KIND.BUCKET and #state > 5 then
        fresh = math.max(math.max(state.at, state.cooldown) + ceil(state.debt / state.rate), state.kept + 1)
        value = pack('>ddddddddddd', state.at, state.debt, state.unit, state.rate, state.cooldown, 1, state.born, state.tail, state.pool, state.kept, state.gone) .. state.holes
      elseif kind == KIND.BUCKET then
        fresh = state.at + ceil(state.debt / state.rate)
        value = pack('>dddd', state.at, state.debt, state.unit, state.rate)
        if state.cooldown > 0 then value = value .. pack('>d', state.cooldown) end
      elseif kind == KIND.TAG then
        fresh, value = state.till, pack('>ddI4', state.tag, state.epoch, state.till / 1e6)
      elseif kind == KIND.WINDOW and #state < 5 then
        fresh, value = state.ends, pack('>ddd', state.cooldown, state.ends, state.count) .. (state.granted and pack('>d', state.granted) or '')
      else
        fresh = kind == KIND.WINDOW and state.ends or #state > 2 and state[#state - 1] or 0
        local texts = {}
        for i = 1, #state do texts[i] = pack('>d', state[i]) end
        value = table.concat(texts)
      end
      if state.cooldown > fresh then fresh = state.cooldown end
      if item.clock then
        local clock, at, debt, unit, rate = item.clock, state.at, state.debt, state.unit, state.rate
        -- The reading is that of this instant, so the debt must be, too. A line was paid already.
        if #state == 5 and at < now then at, debt, unit, rate = now, debt > 0 and item.used or 0, rule.unit, rule.rate end
        local ends = now + ceil(debt / rate) + pace_of(rule.capacity, rule.unit, rule.rate)[5]
        if #state == 5 then
          value = pack('>dddd', at, debt, unit, rate) .. (state.cooldown > 0 and pack('>d', state.cooldown) or '')
        end
        value = value .. pack('>dddB', clock[1], clock[2], ends, CLOCK)
        if ends > fresh then fresh = ends end
      end
      local key, px, done = item.key, ceil((fresh - now) / 1000) + 1000, nil
      if fresh <= now then
        value, done = false, try('DEL', key)
      else
        done = try('SET', key, value, 'PX', px)
      end
      if type(done) == 'table' and done.err then
        failed = done.err
        break
      end
      -- Remember the previous value and the expiry, to undo the write.
      if count > 1 then
        local before = wrote[key]
        if before == nil then before = raw[k - count + d] end
        item.before = { before, px }
      end
      wrote[key], item.state, item.stored = value, state, nil
      item.short = kind == KIND.BUCKET and fits and cost > 0 and state.cooldown == 0 and state.at == now and #state == 5
        -- A correction may have kept other numbers than those of its demand.
        and (item.mode ~= MODE.SETTLE or state.unit == own.unit and state.rate == own.rate)
    end
  end
end
-- A group with an error must not be charged, so its writes are undone.
for d = 1, failed and count or 0 do
  local item = items[d]
  local key, before = item.key, item.before
  if before then
    if before[1] then try('SET', key, before[1], 'PX', before[2]) else try('DEL', key) end
    wrote[key] = before[1]
  end
end
