-- First pass: judges each demand. `used` is the debt or the count of its counter at this instant.
local allowed, refused, failed, keeps_key = true, false, nil, count == 0
for d = 1, count do
  k = k + 1
  local own, cost, mode, key = rules[groups[i]], groups[i + 1], groups[i + 2], keys[k]
  local rule, need, charged_to, terms, shared, clock, turn = own, cost, nil, nil, nil, nil, nil
  i = i + 3
  if mode >= PENALIZED then
    local has_share = mode >= WITH_SHARE
    if has_share then mode = mode - WITH_SHARE end
    if mode >= WITH_TERMS then
      mode, terms = mode - WITH_TERMS, terms{
        wait = groups[i], least = groups[i + 1], floor = groups[i + 2], hold = groups[i + 3], since = groups[i + 4],
        position = groups[i + 5], born = groups[i + 6], ttl = groups[i + 7], to = groups[i + 8], held = groups[i + 9]
      }
      i = i + 10
      if has_share then
        shared = shared{ pool = groups[i], weight = groups[i + 1], tag = groups[i + 2], epoch = groups[i + 3] }
        i = i + 4
      end
    end
    if mode >= PENALIZED then
      mode = mode - PENALIZED
      if penalized and own.reduced > 0 then rule = rules[own.reduced] end
    end
    -- The units that must be left for the demand to pass: the fewest that it accepts, and the units that it leaves to others.
    if terms then need = (terms.least >= 0 and terms.least or cost) + (terms.floor > 0 and ceil(terms.floor * rule.capacity - 1e-6) or 0) end
  end
  if mode == MODE.SETTLE then
    charged_to = groups[i]
    i = i + 1
  end
  local value, state, used, kind, line, tail, back = wrote[key], false, 0, rule.kind, false, 0, 0
  if value == nil then value = raw[k] end
  if value and kind == KIND.BUCKET and #value % 2 == 1 then
    if #value < 57 or string.byte(value, -1) ~= CLOCK then failed, value = NEWER, false
    else
      --@ include "clock.lua"
    end
  end
  if value and kind == KIND.BUCKET and #value > 40 then
    if not pay then
      --@ include "line.lua"
    end
    if #value < 88 or #value % 16 ~= 8 or unpackd('>d', value, 41) ~= 1 then failed = NEWER
    else
      line = read_line(value)
      -- A line that is over may still be stored. Its counter equals a fresh one.
      if math.max(math.max(line.at, line.cooldown) + ceil(line.debt / line.rate), line.kept + 1) <= now then line = false
      else
        -- What is stored is read again for the reply if nothing is written: nothing else needs the numbers before the payment.
        state, tail = line, line.tail
        -- A correction leaves a line the numbers that it has.
        if mode == MODE.SETTLE and (line.unit ~= rule.unit or line.rate ~= rule.rate) then
          rule = rule{ kind = kind, cooldown = rule.cooldown, reduced = 0, capacity = rule.capacity, unit = line.unit, rate = line.rate }
        end
        pay(line, rule.capacity, rule.unit, rule.rate)
        used = line.debt
      end
    end
  elseif value and kind == KIND.BUCKET then
    local cooldown, at, debt, unit, rate
    used, at, debt, unit, rate, cooldown = owes(value, rule.unit, rule.rate)
    -- A correction leaves a bucket the numbers that it has, which may be newer.
    if mode == MODE.SETTLE and at and math.max(0, now - at) * rate < debt and (unit ~= rule.unit or rate ~= rule.rate) then
      rule = rule{ kind = kind, cooldown = rule.cooldown, reduced = 0, capacity = rule.capacity, unit = unit, rate = rate }
      used = owes(value, unit, rate)
    end
    if at then state = { cooldown, at, debt, unit, rate } end
  elseif value and kind == KIND.TAG then
    if #value == 20 then
      local tag, epoch, till = unpackd('>ddI4', value)
      state = { 0, till * 1e6, tag, epoch }
    end
  elseif value then
    state = numbers(value)
    if kind == KIND.WINDOW then
      if #state > 5 and (#state % 2 == 1 or #state > 36) then failed = NEWER end
      if #state < 3 then state = false
      elseif now < state.ends then
        used = state.count - (state.granted or 0)
        for i = 5, #state - 1, 2 do
          if now < state[i] then
            used = used + state[i + 1]
            if terms and terms.to == state[i] then back = math.min(terms.held, state[i + 1]) end
          end
        end
      end
    elseif #state % 2 == 0 then state = false
    else
      for i = 2, #state - 1, 2 do if now < state[i] then used = used + state[i + 1] end end
    end
  end
  -- A repeated call takes its leases like any other, and is not charged otherwise.
  local fits = repeated and kind ~= KIND.LEASES or mode == MODE.SETTLE or mode >= MODE.GRANT
  -- A line may have the place of which the demand speaks.
  local holds = terms and terms.position >= 0 and line and state.born == terms.born and terms.position <= tail
  if holds and mode == MODE.SETTLE and cost < 0 and terms.position + cost >= 0 then
    fits = repeated or leave(line, -cost, terms.position, rule.capacity * rule.unit)
  end
  if shared and shared.pool > 0 and not (repeated and kind ~= KIND.LEASES) then
    if kind == KIND.TAG then
      --@ include "turn.lua"
    elseif not fits then
      local pool, own_units = items[shared.pool], used + need
      local pooled = pool.rule
      local factor = min(4 * shared.weight, max(4, floor(pooled.capacity / 5)))
      fits = need == 0 or pool.used == 0 or own_units <= 1 or own_units <= factor * (pooled.capacity - pool.used - need)
    end
  elseif shared then fits = true
  elseif not fits and mode ~= MODE.SETTLE and mode ~= MODE.BLOCK and not (state and now < state.cooldown) then
    if holds then fits = true
    elseif kind == KIND.BUCKET then fits = used + need * rule.unit <= rule.capacity * rule.unit
    else fits = back > 0 and (terms.least >= 0 and terms.least or cost) <= back or used + need - back <= rule.capacity end
  end
  if not fits and mode ~= MODE.SHADOW then
    allowed = false
    if mode ~= MODE.PEEK and mode ~= MODE.SETTLE then refused = true end
  end
  items[d] = item{
    key = key, rule = rule, own = own, cost = cost, mode = mode, charged_to = charged_to or 0, state = state,
    used = used, fits = fits, short = false, before = false
  }
  if line then
    local item = items[d]
    item.paid, item.stored = line, value
  end
  if clock then
    local item = items[d]
    item.clock = clock
  end
  if terms then
    local item = items[d]
    item.terms, item.need, item.holds, item.back, item.ttl = terms, need - back, holds, back, terms.ttl
    item.others = need - (terms.least >= 0 and terms.least or cost)
    if shared and shared.pool > 0 then
      local pool = items[shared.pool]
      item.shared, item.pool, item.turn = shared, pool, turn
      -- A policy that only reports is charged on its pool and on the share, or on neither.
      if mode == MODE.SHADOW and fits ~= pool.fits then item.fits, pool.fits, fits = false, false, false end
      if not fits then pool.for_turn = true end
    end
  end
end
-- The idempotency key is kept if a demand is charged, now or at the end of the request.
for d = 1, once_key and count or 0 do
  local item = items[d]
  if item.fits and (item.mode == MODE.HOLD or item.mode ~= MODE.PEEK and item.cost ~= 0) then keeps_key = true end
end
