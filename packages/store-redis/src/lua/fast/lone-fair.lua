-- Fast path for a call of one check of a bucket that tenants share, without a ticket and without a wait. It reads no JSON, and makes
-- no records. What it does not decide goes the general way. The random histories of the store suite and
-- test/behaviour/fast-paths.test.ts hold it equal to that.
-- KEYS       the bucket, and the tag of the tenant
-- ARGV[2..3] the unit and the capacity
-- ARGV[5..6] the rate, the cost in units
-- ARGV[8]    the weight of the tenant. No other call has eight
-- perf: by usec_per_call of Redis, such a check takes twice as long by the general path, a refusal 1.8 times: mostly for the tables of
-- the rules, the demands and their terms. Coalesced checks of one pool share these, so the general path decides them.
--@ takes args
--@ gives rules groups
if args[8] then
  local unit, capacity, rate, cost, weight = args[2] + 0, args[3] + 0, args[5] + 0, args[6] + 0, args[8] + 0
  local pool_key, tag_key = KEYS[1], KEYS[2]
  local value, tagged = try('GET', pool_key), try('GET', tag_key)
  if (not value or type(value) == 'string' and #value == 57) and (not tagged or type(tagged) == 'string' and #tagged == 20) then
    local room, per_unit, plenty, band, top, kept
    --@ include "pace.lua"
    local known, used, reading, epoch, since, debt, till, tag, tag_epoch = not value, 0, 70368744177664, now, nil, nil, 0, 0, 0
    if value then
      local old_unit, old_rate, mark, ends, last
      since, debt, old_unit, old_rate, mark, epoch, ends, last = unpackd('>dddddddB', value)
      local elapsed = now - since
      known = last == END.CLOCK and old_unit == unit and old_rate == rate and ends > now and elapsed >= 0 and elapsed <= MOST.READING / top
      if known then
        if debt <= plenty then reading = mark + elapsed * top
        else
          --@ need "run-clock.lua"
          reading = mark + run_clock(pooled{ rate = rate, plenty = plenty, band = band, top = top }, debt, elapsed)
        end
        used = debt - elapsed * rate
        if used < 0 then used = 0 end
        known = reading < MOST.READING
      end
    end
    local owed = used + cost * unit
    if known then
      if tagged then
        tag, tag_epoch, till = unpackd('>ddI4', tagged)
        till = till * 1e6
      end
      local left = floor((room - used) / unit) - cost
      local from = reading - (left > 0 and left or 0) * per_unit
      if tag_epoch == epoch and now < till and tag > from then from = tag end
      local abundant = owed <= plenty
      local fits, turn = owed <= room, abundant or from <= reading
      if not fits or not turn then
        return { now, since and -since or 0, debt or 0, (fits and 1 or 0) + (turn and 2 or 0), till, tag, tag_epoch, reading, epoch }
      end
      tag = from + floor(min(cost, capacity) * per_unit / weight)
      if abundant and tag > reading then tag = reading end
      till, tag = ceil((now + kept) / 1e6) * 1e6, min(tag, reading + 281474976710656)
      local ends = now + ceil(owed / rate) + kept
      local lasts, tag_lasts = ends - origin + KEEP.LONGER, till - origin + KEEP.LONGER
      local done = try('SET', pool_key, pack('>dddddddB', now, owed, unit, rate, reading, epoch, ends, END.CLOCK), expiry, (lasts - lasts % 1000) / 1000)
      if done.err then return done end
      done = try('SET', tag_key, pack('>ddI4', tag, epoch, till / 1e6), expiry, (tag_lasts - tag_lasts % 1000) / 1000)
      if done.err then
        -- A group with an error must not be charged, so its write is undone.
        if value then try('SET', pool_key, value, 'KEEPTTL') else try('DEL', pool_key) end
        return done
      end
      return { now, owed, till, tag, reading, epoch }
    end
  end
  -- The tag has the numbers of the bucket.
  rules = {
    rule{ kind = KIND.BUCKET, cooldown = 0, reduced = 0, capacity = capacity, unit = unit, rate = rate },
    rule{ kind = KIND.TAG, cooldown = 0, reduced = 0, capacity = capacity, unit = unit, rate = rate }
  }
  groups = { 1, 2, 4, 1, cost, MODE.CHARGE, 2, cost, MODE.CHARGE + WITH.TERMS, 0, -1, 0, 0, -1, 0, weight }
end
