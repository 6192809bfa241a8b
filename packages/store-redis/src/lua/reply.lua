-- The reply to one group. The commonest replies are numbers, because the caller knows the rest:
--   each bucket admits: its debt; each window admits: its end and its count; one after the other if there are several
--   one bucket refuses: the instant of its counter, negative, and its debt
--   a bucket that tenants share admits: its debt, and the tag's end, tag, reading and epoch
--   it refuses: the instant of its counter, negative, or 0, and its debt; 1 if the units fit, plus 2 if it is the tenant's turn; then the
--   tag's end, tag, epoch, reading and clock
-- Else it is '{allowed}{repeated};{penalty};{demand};…'. A demand is '+{debt}', or a sign (1 passed, 2 starts a cool-down, 0
-- neither) and the numbers of its counter. Where the caller has to wait, '@{microseconds}' follows the flags; where a demand
-- accepts fewer units than its cost, '*{units of each demand}'. A group that was not charged gets '!{error}'. src/reply.ts
-- checks and reads it.
local first = items[1]
if failed then
  out[o] = '!' .. failed
elseif count == 1 and first.short and not penalty_key and not wait and not granted then
  local state = first.state
  out[o] = state.debt
else
  local texts, list = { (allowed and '1' or '0') .. (repeated and '1' or '0') }, {}
  if wait then texts[1] = texts[1] .. format('@%.0f', wait) end
  if granted then
    for d = 1, count do
      local item = items[d]
      list[d] = format('%.0f', item.cost)
    end
    texts[1], list = texts[1] .. '*' .. table.concat(list, ' '), {}
  end
  for i = 1, score and 6 or 0 do list[i] = format('%.0f', score[i]) end
  texts[2] = table.concat(list, ' ')
  for d = 1, count do
    local item = items[d]
    local state, rule = item.state, item.rule
    if item.short then texts[d + 2] = format('+%.0f', state.debt)
    else
      local sign = item.fits and '1' or item.starts and '2' or '0'
      if item.stored then state = read_line(item.stored) end
      if state and #state > 5 and rule.kind == KIND.BUCKET then
        local holes = state.holes
        texts[d + 2] = format('%s %.0f %.0f %.0f %.0f %.0f %.0f %.0f %.0f %.0f %.0f %.0f', sign, unpack(state, 1, 11))
        if holes ~= '' then
          list = { unpackd('>' .. string.rep('d', #holes / 8), holes) }
          list[#list] = nil
          -- table.concat() writes numbers below 10^14 whole.
          for i = 1, state.tail < 1e14 and 0 or #list do list[i] = format('%.0f', list[i]) end
          texts[d + 2] = texts[d + 2] .. ' ' .. table.concat(list, ' ')
        end
      else
        list = { sign }
        -- A tag with the reading of its clock.
        if item.turn then state = { 0, state and state.till or 0, state and state.tag or 0, state and state.epoch or 0, item.turn[2], item.turn[3] } end
        for i = 1, state and #state or 0 do list[i + 1] = format('%.0f', state[i]) end
        texts[d + 2] = table.concat(list, ' ')
      end
    end
  end
  out[o] = table.concat(texts, ';')
end
