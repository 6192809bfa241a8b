-- Decides a check of one bucket that tenants share: the bucket and the tenant's tag, without a ticket and without a wait. `answered` stays
-- false where the general path must decide. The random histories of the store suite and test/behaviour/fast-paths.test.ts hold it
-- equal to the general path.
local answered = false
if (not value or #value == 57) and (not tagged or #tagged == 20) then
  --@ include "pace.lua"
  local known, used, reading, epoch, since, debt, till, tag, tag_epoch = not value, 0, 70368744177664, now, nil, nil, 0, 0, 0
  if value then
    local old_unit, old_rate, mark, ends, last
    since, debt, old_unit, old_rate, mark, epoch, ends, last = unpackd('>dddddddB', value)
    local elapsed = now - since
    known = last == CLOCK and old_unit == unit and old_rate == rate and ends > now and elapsed >= 0 and elapsed <= 4503599627370496 / top
    if known then
      if debt <= plenty then reading = mark + elapsed * top
      else
        if not pace_of then
          --@ include "virtual-clock.lua"
        end
        reading = mark + run_clock(debt, elapsed, nil, rate, pace{ plenty = plenty, band = band, per_unit = per_unit, top = top })
      end
      used = debt - elapsed * rate
      if used < 0 then used = 0 end
      known = reading < 4503599627370496
    end
  end
  local owed = used + cost * unit
  -- A refusal may start a cool-down.
  if known and (owed <= room or cooldown == 0) then
    if tagged then
      tag, tag_epoch, till = unpackd('>ddI4', tagged)
      till = till * 1e6
    end
    local left = floor((room - used) / unit) - cost
    local from = reading - (left > 0 and left or 0) * per_unit
    if tag_epoch == epoch and now < till and tag > from then from = tag end
    local abundant = owed <= plenty
    local fits, turn = owed <= room, abundant or from <= reading
    if fits and turn then
      tag = from + floor(min(cost, capacity) * per_unit / weight)
      if abundant and tag > reading then tag = reading end
      till, tag = ceil((now + kept) / 1e6) * 1e6, min(tag, reading + 281474976710656)
      local ends, failure = now + ceil(owed / rate) + kept, nil
      local written = pack('>dddddddB', now, owed, unit, rate, reading, epoch, ends, CLOCK)
      local lasts, tag_lasts = ends - origin + 1000999, till - origin + 1000999
      local done = try('SET', pool_key, written, expiry, (lasts - lasts % 1000) / 1000)
      if done.err then failure = done.err else
        wrote[pool_key] = written
        written = pack('>ddI4', tag, epoch, till / 1e6)
        done = try('SET', tag_key, written, expiry, (tag_lasts - tag_lasts % 1000) / 1000)
        if done.err then
          failure = done.err
          if value then try('SET', pool_key, value, 'KEEPTTL') else try('DEL', pool_key) end
          wrote[pool_key] = value
        else wrote[tag_key] = written end
      end
      if failure then
        out[o + 1] = '!' .. failure
        o = o + 1
      else
        out[o + 1], out[o + 2], out[o + 3], out[o + 4], out[o + 5] = owed, till, tag, reading, epoch
        o = o + 5
      end
    else
      out[o + 1], out[o + 2], out[o + 3], out[o + 4] = since and -since or 0, debt or 0, (fits and 1 or 0) + (turn and 2 or 0), till
      out[o + 5], out[o + 6], out[o + 7], out[o + 8] = tag, tag_epoch, reading, epoch
      o = o + 8
    end
    answered = true
  end
end
