-- Fast path for a group with terms whose demands all admit: quotas that hold units or pay with held ones, and buckets and windows
-- that are charged beside them. It makes no records. What it does not decide goes the general way. The random histories of the store
-- suite hold it equal to that.
-- perf: by usec_per_call of Redis, a reservation takes 1.6 times as long by the general path.
if flags == 4 and not decided then
  local i, texts, k_demands = start, { '10', '' }, k
  decided = true
  for d = 1, count do
    local rule, cost, mode, ttl, to, claim = rules[groups[i]], groups[i + 1], groups[i + 2], 0, 0, 0
    i = i + 3
    if mode >= WITH_TERMS then
      -- The fewest units, the share left to others, how long units are kept, a place in line.
      local others = groups[i + 1] >= 0 or groups[i + 2] > 0 or groups[i + 3] > 0 or groups[i + 5] >= 0
      ttl, to, claim, i = groups[i + 7], groups[i + 8], groups[i + 9], i + 10
      mode = (others or ttl + claim == 0) and MODE.PEEK or mode - WITH_TERMS
    end
    local kind, value = rule.kind, wrote[keys[k_demands + d]]
    if value == nil then value = raw[k_demands + d] end
    before[d] = value
    decided = mode == MODE.CHARGE and cost > 0 and kind <= KIND.WINDOW
    if decided and kind == KIND.BUCKET then
      local owed, known = cost * rule.unit, not value
      if value and #value == 32 then
        local since, debt, old_unit, old_rate = unpackd('>dddd', value)
        known = old_unit == rule.unit and old_rate == rule.rate and since <= now
        local left = debt - (now - since) * rule.rate
        if left > 0 then owed = owed + left end
      end
      decided = known and owed <= rule.capacity * rule.unit
      values[d], fresh_at[d] = pack('>dddd', now, owed, rule.unit, rule.rate), now + owed / rule.rate
      texts[d + 2] = format('+%.0f', owed)
    elseif decided then
      local cooldown, ends, used, granted, held, back, ring, place = 0, 0, 0, 0, 0, 0, '', 0
      if value then
        decided = #value == 24 or #value >= 32 and #value <= 288 and #value % 16 == 0
        if decided then cooldown, ends, used = unpackd('>ddd', value) end
      end
      if now >= ends then
        ends, used = rule.edge1 and ending(rule.edge1, rule.edge2, rule.edge3) or now + rule.length, 0
      elseif #value > 24 then
        local from = 33
        granted = unpackd('>d', value, 25)
        for at = 33, #value - 15, 16 do
          local ended, own = unpackd('>dd', value, at)
          if ended <= now then from = at + 16
          else
            held = held + own
            if ended == to then back, place = math.min(claim, own), at end
          end
        end
        ring = string.sub(value, from)
        if back > 0 then
          local own = unpackd('>d', value, place + 8) - back
          ring = string.sub(value, from, place - 1) .. (own > 0 and pack('>dd', to, own) or '') .. string.sub(value, place + 16)
        end
      end
      decided = decided and cooldown == 0 and (back > 0 and cost <= back or used + held - back + cost <= rule.capacity + granted)
      if decided and ttl > 0 then
        local slice = ceil(ttl / 8)
        local till, last, own = math.min(now - now % slice + slice + ttl, ends), 0, 0
        if ring ~= '' then last, own = unpackd('>dd', ring, #ring - 15) end
        if last == till then ring = string.sub(ring, 1, -17) .. pack('>dd', till, own + cost)
        else
          -- Holds of several lengths go the general way.
          ring, decided = ring .. pack('>dd', till, cost), last < till and #ring < 256
        end
      elseif decided then used = math.min(used + cost, MOST_COUNTED) end
      if decided then
        value = pack('>ddd', 0, ends, used)
        texts[d + 2] = format('1 0 %.0f %.0f', ends, used)
        if granted > 0 or ring ~= '' then
          value = value .. pack('>d', granted) .. ring
          local n = #ring / 8 + 1
          texts[d + 2] = texts[d + 2] .. format(string.rep(' %.0f', n), unpackd('>' .. string.rep('d', n), value, 25))
        end
        values[d], fresh_at[d] = value, ends
      end
    end
    if not decided then break end
  end
  --@ include "fast/write-group.lua"
  if decided then
    k, o = k_demands + count, o + 1
    at = i
    out[o] = failure and '!' .. failure or table.concat(texts, ';')
  end
end
