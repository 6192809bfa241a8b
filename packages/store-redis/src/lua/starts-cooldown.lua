-- Tells whether a demand that does not pass starts a cool-down. A refusal in favour of others starts none.
--@ takes flags item rule own cost state
--@ gives starts
starts = cost <= own.capacity and not (state and now < state.cooldown)
if starts and flags >= 4 and item.others > 0 then
  local rest = item.need - item.others
  if rule.kind == KIND.BUCKET then starts = item.used + rest * rule.unit > rule.capacity * rule.unit
  else starts = item.used + rest > rule.capacity end
end
