-- Fast path for a call of one check of a bucket that tenants share: fair-turn.lua. It reads no JSON.
-- KEYS       the bucket, and the tag of the tenant
-- ARGV[2..3] the unit and the capacity
-- ARGV[4]    unused
-- ARGV[5..8] the rate, the cost in units, the cool-down, the weight of the tenant
-- perf: by usec_per_call of Redis, such a check takes 1.3 times as long by fair-group.lua.
if args[8] then
  local unit, capacity, rate, cost, cooldown, weight = args[2] + 0, args[3] + 0, args[5] + 0, args[6] + 0, args[7] + 0, args[8] + 0
  local pool_key, tag_key = KEYS[1], KEYS[2]
  local value, tagged = try('GET', pool_key), try('GET', tag_key)
  if type(value) ~= 'table' and type(tagged) ~= 'table' then
    local out, o = { now }, 1
    --@ include "fast/fair-turn.lua"
    if answered then return out end
  end
  -- The tag has the numbers of the bucket.
  rules = {
    rule{ kind = KIND.BUCKET, cooldown = cooldown, reduced = 0, capacity = capacity, unit = unit, rate = rate },
    rule{ kind = KIND.TAG, cooldown = 0, reduced = 0, capacity = capacity, unit = unit, rate = rate }
  }
  groups = { 1, 2, 4, 1, cost, MODE.CHARGE, 2, cost, MODE.CHARGE + WITH_TERMS + WITH_SHARE, 0, -1, 0, 0, 0, -1, 0, 0, 0, 0, 1, weight, -1, 0 }
end
