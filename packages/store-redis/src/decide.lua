-- The loop of core/src/store/decide.ts and the steps of core/src/algorithms, by hand; read them side by side.
-- KEYS: of each group its penalty, its idempotency key, its demands, in that order and where there are such.
-- ARGV[1]: the clock in microseconds, '' or 's' for the server's; else it was spoiled, see connection/once.ts. ARGV[2]: JSON, the rules and the groups as one flat list.
-- A rule: kind (0 bucket, 1 window, 2 sub-windows, 3 the same for places in flight), cool-down, place of its reduced variant, capacity, then of a bucket
-- unit and rate; of a window its length and calendar edges; of sub-windows the window, the sub-window and their number.
-- A group: how many demands, 1 for a penalty and 2 for a key, what these are, and of each demand its rule, cost and mode.
-- A run of groups of one demand that ask the same: how many, negative, then the rule, cost and mode of them all.
-- No closures, no work for what a group does not use: this runs for every check.
local now, call, ceil, pack = ARGV[1], redis.call, math.ceil, struct.pack
if now == '' or now == 's' then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
else
  now = tonumber(now)
  if not now then return redis.error_reply('STALE The client sent this call again; nothing was charged') end
end

-- What a bucket owes at this instant in the terms of (unit, rate), then its instant, debt, unit, rate and cool-down.
-- It captures `now` alone: a function is made anew for each call, and what it captures with it.
local function owes(v, unit, rate)
  if not v or #v < 32 then return 0 end
  local t, debt, was, paying = struct.unpack('>dddd', v)
  local b, elapsed, u = #v > 32 and struct.unpack('>d', v, 33) or 0, now > t and now - t or 0, debt
  if elapsed * paying >= u then return 0, t, debt, was, paying, b end
  if was ~= unit then
    local whole = math.floor(u / was)
    u = whole * unit + math.ceil((u - whole * was) / was * unit)
    if u > 9007199254740991 then u = 9007199254740991 end
  end
  u = u - elapsed * rate
  return u > 0 and u or 0, t, debt, was, paying, b
end

-- The commonest call, one bucket and nothing else, without the tables of the general one.
-- ARGV[2..5]: unit, rate, capacity and cost in units of debt.
if #ARGV == 5 then
  local unit, rate, v = ARGV[2] + 0, ARGV[3] + 0, call('MGET', KEYS[1])[1]
  local u, t, debt, was, paying, b = owes(v, unit, rate)
  u = u + ARGV[5]
  if u > ARGV[4] + 0 or b and now < b then
    return { now, t and string.format('00;;0 %.0f %.0f %.0f %.0f %.0f', b, t, debt, was, paying) or '00;;0' }
  end
  if not t or t < now then t = now end
  call('SET', KEYS[1], pack('>dddd', t, u, unit, rate), 'PX', ceil((t + ceil(u / rate) - now) / 1000) + 1000)
  return { now, t == now and u or string.format('10;;1 0 %.0f %.0f %.0f %.0f', t, u, unit, rate) }
end

local MAX, unpackd = 9007199254740991, struct.unpack

-- A counter's numbers.
local function numbers(v)
  local s = {}
  for i = 1, #v / 8 do s[i] = unpackd('>d', v, 8 * i - 7) end
  return s
end

-- The end of the period that this instant lies in; periods go on beyond the edges that are known.
local function ending(a, b, c)
  if now < a then return a - math.floor((a - now - 1) / (b - a)) * (b - a) end
  if now < b then return b elseif now < c then return c end
  return c + (math.floor((now - c) / (c - b)) + 1) * (c - b)
end

local format, try = string.format, redis.pcall
local sent = cjson.decode(ARGV[2])
local rules, q = sent[1], sent[2]
local keys = KEYS
-- Not GET: a key of another type is as good as none, and is written over.
local raw = call('MGET', unpack(keys))
local out, o, wrote, at, k = { now }, 1, {}, 1, 0
local D = {}
-- Of a run of groups that ask the same: how many are left, what each asks, and of a bucket its terms.
local left, each, cost, unit, rate, room = 0, nil, 0, nil, 0, 0

while left > 0 or at <= #q do
  local n, flags, decided = 1, 0, false
  o = o + 1
  if left == 0 then
    n, flags, at = q[at], q[at + 1], at + 2
    if n < 0 then
      each, cost, left, n, unit = { flags, q[at], q[at + 1] }, q[at], -n, 1, nil
      at = at + 2
      local r = rules[flags]
      flags = 0
      if each[3] == 0 and r[1] == 0 and r[2] == 0 and cost > 0 then
        unit, rate = r[5], r[6]
        cost, room = cost * unit, r[4] * unit
      end
    end
  end
  -- A bucket that lets its cost in, by far the commonest group, without the tables of the others.
  if left > 0 and unit then
    local key = keys[k + 1]
    local v = wrote[key]
    if v == nil then v = raw[k + 1] end
    local u, t, debt, was, paying, b
    if v and #v == 32 then t, debt, was, paying = unpackd('>dddd', v) end
    if was == unit and paying == rate and t <= now then
      u = debt - (now - t) * rate
      if u < 0 then u = 0 end
    else
      u, t, debt, was, paying, b = owes(v, unit, rate)
    end
    u = u + cost
    if u <= room and not (t and t > now or b and now < b) then
      v = pack('>dddd', now, u, unit, rate)
      local done = try('SET', key, v, 'PX', ceil(ceil(u / rate) / 1000) + 1000)
      k, decided = k + 1, true
      if type(done) == 'table' and done.err then out[o] = '!' .. done.err else
        out[o], wrote[key] = u, v
      end
    end
  end
  local g, i = q, at
  if left > 0 then g, i, left = each, 1, left - 1 end
  if not decided then
    local pkey, p, pr, pmode, pamount, penalized, okey, oend, repeated
    if flags % 2 == 1 then
      k = k + 1
      pkey, pr, pmode, pamount = keys[k], rules[g[i]], g[i + 1], g[i + 2]
      i = i + 3
      local v = wrote[pkey]
      if v == nil then v = raw[k] end
      if v then
        p = numbers(v)
        if #p ~= 6 or now >= p[6] then p = nil end
      end
      penalized = p and now < p[1]
    end
    if flags >= 2 then
      k = k + 1
      okey = keys[k]
      local v = wrote[okey]
      if v == nil then v = raw[k] end
      repeated = v and #v == 8 and now < unpackd('>d', v)
      oend = g[i]
      if oend > 0 then oend = now + oend else
        oend = ending(g[i + 1], g[i + 2], g[i + 3])
        i = i + 3
      end
      i = i + 1
    end

    -- First pass: judge. S is each counter, U what it owes or counts at this instant, P whether it passes.
    local allowed, refused, failed = true, false, nil
    for d = 1, n do
      k = k + 1
      local r0, cost, mode, key = rules[g[i]], g[i + 1], g[i + 2], keys[k]
      local r, receipt = r0, nil
      i = i + 3
      if mode >= 8 then
        mode = mode - 8
        if penalized and r0[3] > 0 then r = rules[r0[3]] end
      end
      if mode == 3 then
        receipt = g[i]
        i = i + 1
      end
      local v, s, u, kind = wrote[key], false, 0, r[1]
      if v == nil then v = raw[k] end
      if v and kind == 0 then
        local b, t, debt, unit, rate
        u, t, debt, unit, rate, b = owes(v, r[5], r[6])
        if t then s = { b, t, debt, unit, rate } end
      elseif v then
        s = numbers(v)
        if kind == 1 then
          if #s ~= 3 and #s ~= 4 then s = false elseif now < s[2] then u = s[3] - (s[4] or 0) end
        elseif #s % 2 == 0 then s = false
        else
          for i = 2, #s - 1, 2 do if now < s[i] then u = u + s[i + 1] end end
        end
      end
      -- A repeated call is in flight like any other, and is not counted otherwise.
      local fits = repeated and kind < 3 or mode == 3 or mode == 6
      if not fits and mode ~= 5 and not (s and now < s[1]) then
        if kind == 0 then fits = u + cost * r[5] <= r[4] * r[5] else fits = u + cost <= r[4] end
      end
      if not fits and mode ~= 1 then
        allowed = false
        if mode ~= 2 then refused = true end
      end
      D[d] = { key, r, r0, cost, mode, receipt or 0, s, u, fits, false, false }
    end

    if g == q then at = i end

    -- Second pass: keep every charge, or only the cool-downs that start.
    for d = 1, n do
      local it = D[d]
      local r, r0, cost, s, fits, fresh = it[2], it[3], it[4], it[7], it[9], nil
      local kind, starts = r[1], not fits and r0[2] > 0 and cost <= r0[4] and not (s and now < s[1])
      if it[5] ~= 2 and (not repeated or kind == 3) and (starts or fits and allowed and cost ~= 0 and it[5] ~= 4) then
        if starts then
          it[12] = true
          if not s then s = kind == 0 and { 0, now, 0, r[5], r[6] } or kind == 1 and { 0, 0, 0 } or { 0 } end
        elseif kind == 0 then
          local u = it[8] + cost * r[5]
          if u < 0 then u = 0 elseif u > MAX then u = MAX end
          s = { s and s[1] or 0, s and s[2] > now and s[2] or now, u, r[5], r[6] }
        elseif kind == 1 then
          if cost > 0 then
            if not s or now >= s[2] then
              s = { s and s[1] or 0, r[6] and ending(r[6], r[7], r[8]) or now + r[5], 0 }
            end
            if it[5] == 6 then s[4] = math.min((s[4] or 0) + cost, 1099511627776) else s[3] = s[3] + cost end
          elseif s and now < s[2] and s[2] == it[6] then
            s[3] = s[3] > -cost and s[3] + cost or 0
          end
        elseif cost > 0 then
          local leaves, t, placed = now - now % r[6] + r[6] + r[5], { s and s[1] or 0 }, false
          for i = 2, s and #s - 1 or 0, 2 do
            local l, c = s[i], s[i + 1]
            if l > now or #t > 1 then
              if not placed and l == leaves then c, placed = c + cost, true end
              if not placed and l > leaves then
                t[#t + 1], t[#t + 2], placed = leaves, cost, true
              end
              t[#t + 1], t[#t + 2] = l, c
            end
          end
          if not placed then t[#t + 1], t[#t + 2] = leaves, cost end
          while #t > 2 * r[7] + 3 do
            t[5] = t[5] + t[3]
            table.remove(t, 2)
            table.remove(t, 2)
          end
          s = t
        elseif now < it[6] then
          for i = 2, s and #s - 1 or 0, 2 do
            if s[i] == it[6] then
              if s[i + 1] > -cost then s[i + 1] = s[i + 1] + cost
              else
                table.remove(s, i)
                table.remove(s, i)
              end
              break
            end
          end
        end
        if s then
          if starts then s[1] = now + r[2] elseif s[1] <= now then s[1] = 0 end
          local v
          if kind == 0 then
            fresh = s[2] + ceil(s[3] / s[5])
            v = pack('>dddd', s[2], s[3], s[4], s[5])
            if s[1] > 0 then v = v .. pack('>d', s[1]) end
          elseif kind == 1 then
            fresh, v = s[2], pack('>ddd', s[1], s[2], s[3]) .. (s[4] and pack('>d', s[4]) or '')
          else
            fresh = #s > 2 and s[#s - 1] or 0
            local t = {}
            for i = 1, #s do t[i] = pack('>d', s[i]) end
            v = table.concat(t)
          end
          if s[1] > fresh then fresh = s[1] end
          local key, px, done = it[1], ceil((fresh - now) / 1000) + 1000, nil
          if fresh <= now then
            v, done = false, try('DEL', key)
          else
            done = try('SET', key, v, 'PX', px)
          end
          if type(done) == 'table' and done.err then
            failed = done.err
            break
          end
          -- To take it back: what stood there, and for how long.
          if n > 1 then
            local before = wrote[key]
            if before == nil then before = raw[k - n + d] end
            it[11] = { before, px }
          end
          wrote[key], it[7] = v, s
          it[10] = kind == 0 and fits and cost > 0 and s[1] == 0 and s[2] == now
        end
      end
    end
    -- A group that is answered with an error was not charged: what it wrote already is taken back.
    for d = 1, failed and n or 0 do
      local key, before = D[d][1], D[d][11]
      if before then
        if before[1] then try('SET', key, before[1], 'PX', before[2]) else try('DEL', key) end
        wrote[key] = before[1]
      end
    end

    -- The penalty is scored after judging.
    if pr and not failed then
      local severity
      if pmode == 2 then severity = pamount
      elseif pmode == 0 and refused and (not p or p[4] == 0 or now >= p[3] + pr[5]) then severity = pr[4] end
      if severity or pmode == 3 then
        -- The reader would take the rule from the penalty as it is now.
        for d = 1, n do D[d][10] = false end
        p = p or { 0, 0, pmode == 3 and now or 0, 0, 0, 0 }
        if severity then
          local left = p[2] - math.floor((now > p[3] and now - p[3] or 0) * pr[3])
          p[2] = (left > 0 and left or 0) + severity
          if now > p[3] then p[3] = now end
          p[4] = p[4] + 1
          if now >= p[1] and math.floor(p[2] / 1e5 + 0.5) >= math.floor(pr[1] / 1e5 + 0.5) then
            local lasting, i = pr[2], 0
            while i < p[5] and lasting < pr[7] do lasting, i = lasting * pr[6], i + 1 end
            p[1] = now + math.min(math.floor(lasting), pr[7])
            p[5] = p[5] + 1
          end
        elseif now + pamount > p[1] then
          p[1] = now + pamount
        end
        local forgotten = pr[3] > 0 and math.min(ceil(p[2] / pr[3]), 31622400000000) or 31622400000000
        p[6] = math.max(p[1], p[3] + math.max(p[2] > 0 and forgotten or 0, p[4] > 0 and pr[5] or 0))
        local v = pack('>dddddd', p[1], p[2], p[3], p[4], p[5], p[6])
        try('SET', pkey, v, 'PX', ceil((p[6] - now) / 1000) + 1000)
        wrote[pkey] = v
      end
    end
    if okey and allowed and not repeated and not failed then
      local v = pack('>d', oend)
      try('SET', okey, v, 'PX', ceil((oend - now) / 1000) + 1000)
      wrote[okey] = v
    end

    -- For an admitted bucket its debt alone: the rest of what was kept is known. Else all of it.
    if failed then
      out[o] = '!' .. failed
    elseif n == 1 and D[1][10] and not pkey then
      out[o] = D[1][7][3]
    else
      local t, v = { (allowed and '1' or '0') .. (repeated and '1' or '0') }, {}
      for i = 1, p and 6 or 0 do v[i] = format('%.0f', p[i]) end
      t[2] = table.concat(v, ' ')
      for d = 1, n do
        local it = D[d]
        local s = it[7]
        if it[10] then t[d + 2] = format('+%.0f', s[3])
        else
          v = { it[9] and '1' or it[12] and '2' or '0' }
          for i = 1, s and #s or 0 do v[i + 1] = format('%.0f', s[i]) end
          t[d + 2] = table.concat(v, ' ')
        end
      end
      out[o] = table.concat(t, ';')
    end
  end
end
return out
