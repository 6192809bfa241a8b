-- Finds when a group with terms may start that does not pass now, and the units that its demands get. Mirrors
-- core/src/store/decide.ts. `wait` stays nil if the group has nothing to wait for;
-- `joins` tells whether it gets a place in line.
--@ takes count items once_key
--@ gives allowed refused wait granted joins
if refused then
  -- A place in line is charged now if one bucket is all that the group still needs. Otherwise the caller asks again.
  -- A place would take what the demand leaves to more important ones, which would then stand behind it.
  -- With an idempotency key the place would be paid: a caller that repeats the key would pass, and could give the place back.
  local exact, joining = true, nil
  wait, joins = 0, not once_key
  for d = 1, count do
    local item = items[d]
    local rule, pool = item.rule, item.pool
    item.for_turn = false
    if pool and not item.fits then pool.for_turn = true end
    -- A tenant whose turn has come stands in the line of its pool.
    if item.mode ~= MODE.SHADOW and not item.placed and not (pool and item.fits) then
      if joining or item.mode ~= MODE.CHARGE or rule.kind ~= KIND.BUCKET or item.others > 0 then joins = false end
      joining = item
    end
  end
  if not joins then joining = nil end
  for d = 1, count do
    local item = items[d]
    if not item.fits and item.mode ~= MODE.SHADOW and not item.for_turn then
      local rule, state, terms, line = item.rule, item.state, item.terms, item.line
      local most = terms and terms.wait or 0
      if most == 0 then
        wait = nil
        break
      end
      local cooldown, excess, own = state and state.cooldown - now or 0, item.used + item.need - rule.capacity, math.huge
      if item.pool then
        --@ need "share-wait.lua"
        own = share_wait(item)
      elseif rule.kind == KIND.WINDOW then
        if excess <= 0 then own = 0 elseif item.need <= rule.capacity then own = state.ends - now end
        local ring = state and state.ring or ''
        for from = 1, #ring - 15, 16 do
          local to, units = unpackd('>dd', ring, from)
          if excess > 0 and now < to and to < state.ends then
            excess = excess - units
            if excess <= 0 then own = to - now end
          end
        end
      elseif item.need <= rule.capacity then
        own = 0
        if rule.kind == KIND.BUCKET and (item == joining or line) then
          -- The first microsecond at which time and refunds have paid enough, from the end of a cool-down on.
          excess = item.used + (item.need - (line and line.gone or 0)) * rule.unit - rule.capacity * rule.unit
          if excess > 0 then
            own = ceil(excess / rule.rate)
            if line and line.pool > 0 then
              own = max(ceil(excess / (rule.rate + max(rule.rate, floor(line.pool / 1e6)))), ceil((excess - line.pool) / rule.rate))
            end
          end
          if cooldown > 0 then own = own + cooldown end
        elseif rule.kind == KIND.BUCKET then
          excess = item.used - (rule.capacity - item.need) * rule.unit
          if excess > 0 then
            own = ceil(excess / rule.rate)
            -- If the debt is in other terms than the rule's, the bucket may be full before that.
            if state.unit ~= rule.unit or state.rate ~= rule.rate then
              own = min(own, state.at + ceil(state.debt / state.rate) - now)
            end
          end
        else
          for i = 2, state and #state - 1 or 0, 2 do
            if excess > 0 and now < state[i] then excess, own = excess - state[i + 1], state[i] - now end
          end
        end
      end
      -- A permit may be given back at any time.
      if own > most and own < math.huge and rule.kind == KIND.PERMITS then own = most end
      if cooldown > own then own = cooldown end
      if own > most then
        wait = nil
        break
      end
      if own > wait then wait = own end
      if item ~= joining or own * rule.rate + (rule.capacity + item.cost) * rule.unit > MOST.DEBT then exact = false end
    end
  end
  joins = wait and joining and exact and true or false
end
if wait then
  refused, allowed = false, joins
  for d = 1, allowed and count or 0 do
    local item = items[d]
    if item.mode ~= MODE.SHADOW then item.fits = true end
  end
end
local most = math.huge
for d = 1, allowed and count or 0 do
  local item = items[d]
  local rule, terms, left = item.rule, item.terms, item.cost
  if terms and terms.least >= 0 then
    granted, left = true, terms.least
    if not wait then
      local units = rule.kind == KIND.TAG and math.huge or rule.kind == KIND.BUCKET and floor((rule.capacity * rule.unit - item.used) / rule.unit) or rule.capacity - item.used
      if item.pool and rule.kind == KIND.PERMITS then
        -- A tenant gets no more permits than its share of those that are free.
        local shared, pool = item.shared, item.pool
        local pooled = pool.rule
        local factor = min(4 * shared.weight, max(4, floor(pooled.capacity / 5)))
        local free = max(0, pooled.capacity - pool.used)
        units = pool.used == 0 and free
          or min(free, max(1 - item.used, floor((factor * free - item.used) / (1 + factor))))
      end
      left = min(item.cost, max(item.back, max(0, units) + item.back - item.others))
      if item.pool then
        -- A pool that only reports is charged as the share.
        local pool = item.pool
        left = min(left, pool.left)
        pool.left = left
      end
    end
  end
  item.left = left
  if item.mode ~= MODE.SHADOW and left < item.cost and left < most then most = left end
end
for d = 1, granted and count or 0 do
  local item = items[d]
  local terms = item.terms
  if item.fits and terms and terms.least >= 0 then item.cost = max(terms.least, min(item.left, most)) end
end
