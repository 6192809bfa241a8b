-- Writes the idempotency key of a group.
--@ takes once_key once_window edge1 edge2 edge3 wrote
local ends = now + once_window
if edge1 then
  --@ need "period.lua"
  ends = ending(now, edge1, edge2, edge3)
end
local value = pack('>d', ends)
try('SET', once_key, value, 'PX', ceil((ends - now) / 1000) + 1000)
wrote[once_key] = value
