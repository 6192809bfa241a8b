-- Mirrors core/src/algorithms/algorithm.ts.

-- Returns the end of the period at an instant. Beyond the known edges, periods go on with the same length.
ending = function(at, a, b, c)
  if at < a then return a - floor((a - at - 1) / (b - a)) * (b - a) end
  if at < b then return b elseif at < c then return c end
  return c + (floor((at - c) / (c - b)) + 1) * (c - b)
end
