-- Writes the counters of a group that changed. A group with an error must not be charged, so its writes are undone.
--@ takes count items wrote later
--@ gives failed
for d = 1, failed and 0 or count do
  local item = items[d]
  local value, fresh = item.next, item.fresh
  if value then
    local key, left, done = item.key, fresh - origin + KEEP.LONGER, nil
    if fresh > now then done = try('SET', key, value, expiry, (left - left % 1000) / 1000)
    else
      done, value = try('DEL', key), false
      if type(done) == 'number' then done = {} end
    end
    if done.err then
      failed = done.err
      for e = 1, d - 1 do
        local item = items[e]
        local key, before, left = item.key, item.value, max(item.fresh or now, now) - origin + KEEP.LONGER
        if item.next then
          if before then try('SET', key, before, expiry, (left - left % 1000) / 1000) else try('DEL', key) end
          wrote[key] = before
        end
      end
      break
    end
    if later then wrote[key] = value end
  end
end
