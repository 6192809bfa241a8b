-- Returns how long a tenant waits for its share, if nobody else asks. A permit may be given back sooner.
share_wait = function(item)
  local shared, pool, start, state, need = item.shared, item.pool, item.start, item.state, item.need
  local pooled, own = pool.rule, 0
  if start then
    if start > pool.reading then
      --@ need "run-clock.lua"
      local scarce = max(0, ceil((pool.used + need * pooled.unit - pooled.plenty) / pooled.rate))
      own = min(run_clock(pooled, pool.used, nil, start - pool.reading), scarce, max(0, (state and state.till or 0) - now))
    end
    return own
  end
  local ends, all_ends, factor = {}, pool.state or {}, min(4 * shared.weight, max(4, floor(pooled.capacity / 5)))
  for _, list in ipairs({ state or {}, all_ends }) do
    for i = 2, #list - 1, 2 do if list[i] > now then ends[#ends + 1] = list[i] end end
  end
  table.sort(ends)
  for _, at in ipairs(ends) do
    local mine, all = need, 0
    for i = 2, state and #state - 1 or 0, 2 do if at < state[i] then mine = mine + state[i + 1] end end
    for i = 2, #all_ends - 1, 2 do if at < all_ends[i] then all = all + all_ends[i + 1] end end
    if all == 0 or mine <= 1 or mine <= factor * (pooled.capacity - all - need) then return at - now end
  end
  return own
end
