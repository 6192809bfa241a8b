-- Fast path for a check of one bucket that tenants share among other groups of a call: fair-turn.lua.
-- perf: by usec_per_call of Redis, such a check takes 2.3 times as long by the general path.
if flags == 4 and count == 2 and groups[start + 2] == MODE.CHARGE and groups[start + 5] == MODE.CHARGE + WITH_TERMS + WITH_SHARE
  and groups[start + 6] == 0 and groups[start + 7] < 0 and groups[start + 8] == 0 and groups[start + 11] < 0 and groups[start + 13] == 0
  and groups[start + 16] == 1 and groups[start + 18] == -1 and groups[start + 1] > 0 then
  local pooled, cost, weight, pool_key, tag_key = rules[groups[start]], groups[start + 1], groups[start + 17], keys[k + 1], keys[k + 2]
  local capacity, unit, rate, cooldown, value, tagged = pooled.capacity, pooled.unit, pooled.rate, pooled.cooldown, wrote[pool_key], wrote[tag_key]
  if value == nil then value = raw[k + 1] end
  if tagged == nil then tagged = raw[k + 2] end
  if pooled.kind == KIND.BUCKET then
    --@ include "fast/fair-turn.lua"
    if answered then decided, at, k = true, start + 20, k + 2 end
  end
end
