-- Returns the whole evaluation of a group as a text: '{allowed}{repeated};{penalty};{demand};…'. A demand is '+{debt}', or a sign (1
-- passed, 2 starts a cool-down, 0 neither) and the numbers of its counter. Where the caller has to wait, '@{microseconds}' follows the
-- flags; where a demand accepts fewer units than its cost, '*{units of each demand}'.
written_out = function(items, count, allowed, repeated, wait, granted, score)
  local texts, list = { (allowed and '1' or '0') .. (repeated and '1' or '0'), '' }, {}
  if wait then texts[1] = texts[1] .. format('@%.0f', wait) end
  if granted then
    for d = 1, count do
      local item = items[d]
      list[d] = format('%.0f', item.cost)
    end
    texts[1] = texts[1] .. '*' .. table.concat(list, ' ')
  end
  if score then texts[2] = format('%.0f %.0f %.0f %.0f %.0f %.0f', unpack(score)) end
  for d = 1, count do
    local item = items[d]
    local state, rule, pool, text = item.state, item.rule, item.pool, item.fits and '1' or item.starts and '2' or '0'
    local kind = rule.kind
    if kind == KIND.BUCKET and item.line then
      -- A line that was not written is told as it is stored.
      local line = item.next and item.line or read_line(item.stored)
      local holes = line.holes
      list = { text .. format(string.rep(' %.0f', 11), unpack(line, 1, 11)) }
      for from = 1, #holes, 16 do list[#list + 1] = format('%.0f %.0f', unpackd('>dd', holes, from)) end
      text = table.concat(list, ' ')
    elseif kind == KIND.BUCKET and item.short then text = format('+%.0f', item.debt)
    elseif kind == KIND.TAG and item.start then
      local till, tag, epoch = state and item.till or 0, state and item.tag or 0, state and item.epoch or 0
      text = text .. format(' 0 %.0f %.0f %.0f %.0f %.0f', till, tag, epoch, pool.reading, pool.began)
    elseif state and kind == KIND.BUCKET then text = text .. format(' %.0f %.0f %.0f %.0f %.0f', item.cooldown, item.at, item.debt, item.unit, item.rate)
    elseif state and kind == KIND.TAG then text = text .. format(' 0 %.0f %.0f %.0f', item.till, item.tag, item.epoch)
    elseif state and kind == KIND.WINDOW then
      text = text .. format(' %.0f %.0f %.0f', item.cooldown, item.ends, item.count)
      if item.granted then
        local ring = item.ring
        text = text .. format(' %.0f', item.granted)
        for from = 1, #ring, 16 do text = text .. format(' %.0f %.0f', unpackd('>dd', ring, from)) end
      end
    elseif state then text = text .. format(string.rep(' %.0f', #state), unpack(state)) end
    texts[d + 2] = text
  end
  return table.concat(texts, ';')
end
