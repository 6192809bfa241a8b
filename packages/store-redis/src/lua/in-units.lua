-- Returns a debt in another unit, rounded up.
in_units = function(debt, unit, new_unit)
  if unit == new_unit then return debt end
  local whole = floor(debt / unit)
  return min(whole * new_unit + ceil((debt - whole * unit) / unit * new_unit), MOST.DEBT)
end
