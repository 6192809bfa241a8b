-- Unpacks the numbers of a counter.
numbers = function(value)
  local n = floor(#value / 8)
  local list = { unpackd('>' .. string.rep('d', n), value) }
  list[n + 1] = nil
  return list
end
