-- Tells whether the idempotency key of a group is kept: if a demand is charged, now or at the end of the request.
--@ takes count items
--@ gives keeps
keeps = count == 0
for d = 1, count do
  local item = items[d]
  if item.fits and (item.mode == MODE.DEFER or item.mode ~= MODE.PEEK and item.cost ~= 0) then keeps = true end
end
