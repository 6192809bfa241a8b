-- How long a tenant waits for its share, if nobody else asks. A permit may be given back sooner.
local shared, pool, turn = item.shared, item.pool, item.turn
local pooled, all_ends = pool.rule, pool.state or {}
own = 0
if turn then
  local pace, unit = turn.pace, pooled.unit
  if turn.start > turn.reading then
    local scarce = math.max(0, ceil((pool.used + item.need * unit - pace.plenty) / pooled.rate))
    own = math.min(run_clock(pool.used, nil, turn.start - turn.reading, pooled.rate, pace), scarce, math.max(0, (state and state.till or 0) - now))
  end
else
  local ends, factor = {}, min(4 * shared.weight, max(4, floor(pooled.capacity / 5)))
  for _, list in ipairs({ state or {}, all_ends }) do
    for i = 2, #list - 1, 2 do if list[i] > now then ends[#ends + 1] = list[i] end end
  end
  table.sort(ends)
  for _, at in ipairs(ends) do
    local mine, all = item.need, 0
    for i = 2, state and #state - 1 or 0, 2 do if at < state[i] then mine = mine + state[i + 1] end end
    for i = 2, #all_ends - 1, 2 do if at < all_ends[i] then all = all + all_ends[i + 1] end end
    if all == 0 or mine <= 1 or mine <= factor * (pooled.capacity - all - item.need) then
      own = at - now
      break
    end
  end
end
