-- The reply to one group. The commonest replies are numbers, because the caller knows the rest:
--   each demand admits, one after the other: a bucket, its debt; a window, its end and its count, or, if it has grants or holds, its
--   end, the number of its other numbers, negative, and these; a tag, its end, the tag, and the reading and the epoch of its clock; any
--   other counter, the number of its numbers behind the cool-down, and these
--   one bucket refuses: the instant of its counter, negative, and its debt
--   a bucket that tenants share refuses: the instant of its counter, negative, or 0, and its debt; 1 if the units fit, plus 2 if it is
--   the tenant's turn; then the tag's end, tag, epoch, reading and clock
-- Else it is a text: written-out.lua. A group that was not charged gets '!{error}'. src/reply.ts checks and reads it.
--@ takes count flags items allowed repeated wait granted score out o
--@ gives told
local first, second, numeric = items[1], items[2], count > 0 and not (wait or granted or repeated or score)
if numeric and allowed then
  for d = 1, count do
    local item = items[d]
    local rule, pool = item.rule, item.pool
    local kind = rule.kind
    if not item.short or count > 1 and item.mode ~= MODE.CHARGE then
      -- The numbers of the demands before it are no part of the reply.
      for at = o + 1, told do out[at] = nil end
      numeric = false
      break
    end
    if kind == KIND.BUCKET then
      told = told + 1
      out[told] = item.debt
    elseif kind == KIND.WINDOW then
      out[told + 1] = item.ends
      told = told + 2
      if item.granted then
        local list = { item.count, item.granted, unpackd('>' .. string.rep('d', #item.ring / 8), item.ring) }
        -- The last of the list is the position behind the ring.
        out[told] = 1 - #list
        for at = 1, #list - 1 do out[told + at] = list[at] end
        told = told + #list - 1
      else out[told] = item.count end
    elseif kind == KIND.TAG then
      out[told + 1] = item.till
      out[told + 2] = item.tag
      out[told + 3] = pool.reading
      out[told + 4] = pool.began
      told = told + 4
    else
      local state = item.state
      out[told + 1] = #state - 1
      for at = 2, #state do out[told + at] = state[at] end
      told = told + #state
    end
  end
elseif numeric then
  local own, state = first.own, first.state
  numeric = flags % 4 == 0 and first.mode == MODE.CHARGE and not first.terms and own.kind == KIND.BUCKET and own.cooldown == 0
    and first.cooldown <= now and (not state or state == first and first.at <= now and first.unit == own.unit and first.rate == own.rate)
  if numeric and count == 1 and state then
    out[o + 1] = -first.at
    out[o + 2] = first.debt
    told = o + 2
  elseif numeric and count == 2 and second.start and second.mode == MODE.CHARGE then
    local tag = second.state
    out[o + 1] = state and -first.at or 0
    out[o + 2] = state and first.debt or 0
    out[o + 3] = (first.fits and 1 or 0) + (second.fits and 2 or 0)
    out[o + 4] = tag and second.till or 0
    out[o + 5] = tag and second.tag or 0
    out[o + 6] = tag and second.epoch or 0
    out[o + 7] = first.reading
    out[o + 8] = first.began
    told = o + 8
  else numeric = false end
end
if not numeric then
  --@ need "written-out.lua"
  told = o + 1
  out[told] = written_out(items, count, allowed, repeated, wait, granted, score)
end
