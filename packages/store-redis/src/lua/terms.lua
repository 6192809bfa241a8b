-- Finds when a group with terms may start that does not pass now, and the units that its demands get. Mirrors
-- core/src/store/terms.ts. `wait` stays nil if the group has nothing to wait for;
-- `joins` tells whether it gets a place in line.
if refused then
  -- A place in line is charged now if all counters of the group can hold it. Otherwise the caller asks again.
  -- A place would take what the demand leaves to more important ones, which would then stand behind it.
  -- With an idempotency key the place would be paid: a caller that repeats the key would pass, and could give the place back.
  local exact = true
  wait, joins = 0, not once_key
  for d = 1, count do
    local item = items[d]
    local rule, terms = item.rule, item.terms
    -- A tenant whose turn has come stands in the line of its pool.
    if item.mode ~= MODE.SHADOW and not (item.shared and item.fits) and (item.mode ~= MODE.CHARGE or rule.kind ~= KIND.BUCKET
      or terms and (item.others > 0 or terms.position >= 0)) then joins = false end
  end
  for d = 1, count do
    local item = items[d]
    if not item.fits and item.mode ~= MODE.SHADOW and not item.for_turn then
      local rule, state, terms, line = item.rule, item.state, item.terms, item.paid
      local most = terms and item.mode ~= MODE.BLOCK and terms.wait or 0
      if most == 0 then
        wait = nil
        break
      end
      local cooldown, excess, own = state and state.cooldown - now or 0, item.used + item.need - rule.capacity, math.huge
      if item.shared then
        --@ include "share-wait.lua"
      elseif rule.kind == KIND.WINDOW then
        if excess <= 0 then own = 0 elseif item.need <= rule.capacity then own = state.ends - now end
        for i = 5, state and #state - 1 or 0, 2 do
          if excess > 0 and now < state[i] and state[i] < state.ends then
            excess = excess - state[i + 1]
            if excess <= 0 then own = state[i] - now end
          end
        end
      elseif item.need <= rule.capacity then
        own = 0
        if rule.kind == KIND.BUCKET and (joins or line) then
          -- The first microsecond at which time and refunds have paid enough, from the end of a cool-down on.
          excess = item.used + (item.need - (line and line.gone or 0)) * rule.unit - rule.capacity * rule.unit
          if excess > 0 then
            own = ceil(excess / rule.rate)
            if line and line.pool > 0 then
              own = math.max(ceil(excess / (rule.rate + math.max(rule.rate, math.floor(line.pool / 1e6)))), ceil((excess - line.pool) / rule.rate))
            end
          end
          if cooldown > 0 then own = own + cooldown end
        elseif rule.kind == KIND.BUCKET then
          excess = item.used - (rule.capacity - item.need) * rule.unit
          if excess > 0 then
            own = ceil(excess / rule.rate)
            -- If the debt is in other terms than the rule's, the bucket may be full before that.
            if state.unit ~= rule.unit or state.rate ~= rule.rate then
              own = math.min(own, state.at + ceil(state.debt / state.rate) - now)
            end
          end
        else
          for i = 2, state and #state - 1 or 0, 2 do
            if excess > 0 and now < state[i] then excess, own = excess - state[i + 1], state[i] - now end
          end
        end
      end
      -- A place in flight may become free at any time.
      if own > most and own < math.huge and rule.kind == KIND.LEASES then own = most end
      if cooldown > own then own = cooldown end
      if own > most then
        wait = nil
        break
      end
      if own > wait then wait = own end
      if joins and own * rule.rate + (rule.capacity + item.cost) * rule.unit > MAX then exact = false end
    end
  end
  joins = joins and exact
end
if wait then
  refused, allowed = false, joins
  for d = 1, allowed and count or 0 do
    local item = items[d]
    if item.mode ~= MODE.SHADOW then item.fits, item.joins = true, true end
  end
end
local most = math.huge
for d = 1, allowed and count or 0 do
  local item = items[d]
  local rule, terms, left = item.rule, item.terms, item.cost
  if terms and terms.least >= 0 then
    granted, left = true, terms.least
    if not wait then
      local units = rule.kind == KIND.TAG and math.huge or rule.kind == KIND.BUCKET and math.floor((rule.capacity * rule.unit - item.used) / rule.unit) or rule.capacity - item.used
      if item.shared and rule.kind == KIND.LEASES then
        -- A tenant gets no more permits than its share of those that are free.
        local shared, pool = item.shared, item.pool
        local pooled = pool.rule
        local factor = min(4 * shared.weight, max(4, floor(pooled.capacity / 5)))
        local free = math.max(0, pooled.capacity - pool.used)
        units = pool.used == 0 and free
          or math.min(free, max(1 - item.used, floor((factor * free - item.used) / (1 + factor))))
      end
      left = math.min(item.cost, math.max(item.back, math.max(0, units) + item.back - item.others))
    end
  end
  item.left = left
  if item.mode ~= MODE.SHADOW and left < item.cost and left < most then most = left end
end
for d = 1, granted and count or 0 do
  local item = items[d]
  local terms = item.terms
  if item.fits and terms and terms.least >= 0 then item.cost = math.max(terms.least, math.min(item.left, most)) end
end
for d = 1, allowed and count or 0 do
  local item = items[d]
  local rule, terms = item.rule, item.terms
  if terms and rule.kind == KIND.BUCKET then
    -- The units are charged as if they were used at the end of the time for which the caller keeps them.
    if terms.hold > 0 and item.mode == MODE.CHARGE and item.fits and not item.joins then item.used = math.max(item.used, terms.hold * rule.rate) end
    -- What time has paid back since the charge is not given back again.
    if terms.since > 0 and item.cost < 0 and terms.position < 0 then
      item.cost = math.min(0, item.cost + ceil(math.max(0, now - terms.since) * rule.rate / rule.unit))
    end
  end
end
