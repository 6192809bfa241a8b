-- Tells whether a demand that does not pass starts a cool-down. A refusal in favour of others starts none.
--@ takes flags item rule own cost mode state
--@ gives starts
local blocked = state and state.cooldown or 0
starts = mode == MODE.BLOCK and now + rule.cooldown > blocked or cost <= own.capacity and now >= blocked
if starts and flags >= 4 and item.others > 0 and mode ~= MODE.BLOCK then
  local rest = item.need - item.others
  if rule.kind == KIND.BUCKET then starts = item.used + rest * rule.unit > rule.capacity * rule.unit
  else starts = item.used + rest > rule.capacity end
end
