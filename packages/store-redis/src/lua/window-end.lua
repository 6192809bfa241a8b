-- The end of the window or of the period of this instant.
--@ takes rule
--@ gives ends
ends = now + rule.length
if rule.edge1 then
  --@ need "period.lua"
  ends = ending(now, rule.edge1, rule.edge2, rule.edge3)
end
