-- Fixed windows, quotas and sliding windows. Mirrors core/src/algorithms/fixed-window.ts, sliding-window.ts and period.ts.

-- Returns the end of the period at this instant. Beyond the known edges, periods go on with the same length.
local function ending(a, b, c)
  if now < a then return a - math.floor((a - now - 1) / (b - a)) * (b - a) end
  if now < b then return b elseif now < c then return c end
  return c + (math.floor((now - c) / (c - b)) + 1) * (c - b)
end

-- Unpacks the numbers of a counter.
local function numbers(value)
  local list = {}
  for i = 1, #value / 8 do list[i] = unpackd('>d', value, 8 * i - 7) end
  return list
end
