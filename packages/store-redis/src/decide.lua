-- The loop of core/src/store/decide.ts and the steps of core/src/algorithms, by hand; read them side by side.
-- KEYS: of each group its penalty, its idempotency key, its demands, in that order and where there are such.
-- ARGV[1]: the clock in microseconds, '' for the server's. ARGV[2]: rules. ARGV[3]: groups, one flat list.
-- No closures, no work for what a group does not use: this runs for every check.
local now = ARGV[1]
if now == '' then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
else
  now = tonumber(now)
end
local rules, q, raw = cjson.decode(ARGV[2]), cjson.decode(ARGV[3]), redis.call('MGET', unpack(KEYS))
local floor, ceil, format, match, gmatch, concat = math.floor, math.ceil, string.format, string.match, string.gmatch, table.concat
local MAX = 9007199254740991
local out, wrote, at, k = { now }, {}, 1, 0
local K, R, R0, C, M, E, S, U, P, F, B = {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}

while at <= #q do
  local n, flags = q[at], q[at + 1]
  at = at + 2
  local pkey, p, pr, pmode, pamount, penalized, okey, oend, repeated
  if flags % 2 == 1 then
    k = k + 1
    pkey, pr, pmode, pamount = KEYS[k], rules[q[at]], q[at + 1], q[at + 2]
    at = at + 3
    local v = wrote[pkey]
    if v == nil then v = raw[k] end
    if v then
      p = {}
      for x in gmatch(v, '%d+') do p[#p + 1] = tonumber(x) end
      if #p ~= 6 or now >= p[6] then p = nil end
    end
    penalized = p and now < p[1]
  end
  if flags >= 2 then
    k = k + 1
    okey = KEYS[k]
    local v = wrote[okey]
    if v == nil then v = raw[k] end
    repeated = v and now < (tonumber(v) or 0)
    oend = q[at]
    if oend > 0 then oend = now + oend else
      local a, b, c = q[at + 1], q[at + 2], q[at + 3]
      oend = now < a and a or now < b and b or c
      at = at + 3
    end
    at = at + 1
  end

  -- First pass: judge. S is each counter, U what it owes or counts at this instant, P whether it passes.
  local allowed, refused, failed = true, false, nil
  for d = 1, n do
    k = k + 1
    local r0, cost, mode, key = rules[q[at]], q[at + 1], q[at + 2], KEYS[k]
    local r = r0
    at = at + 3
    if mode >= 8 then
      mode = mode - 8
      if penalized and r0[10] > 0 then r = rules[r0[10]] end
    end
    E[d] = 0
    if mode == 3 then
      E[d] = q[at]
      at = at + 1
    end
    local v, s, u, kind = wrote[key], nil, 0, r[1]
    if v == nil then v = raw[k] end
    if v and kind == 0 then
      local b, t, debt, unit, rate = match(v, '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
      if b then
        b, t, debt, unit, rate = b + 0, t + 0, debt + 0, unit + 0, rate + 0
        s = { b, t, debt, unit, rate }
        local elapsed = now > t and now - t or 0
        if elapsed * rate < debt then
          if unit ~= r[4] then
            local whole = floor(debt / unit)
            debt = whole * r[4] + ceil((debt - whole * unit) / unit * r[4])
            if debt > MAX then debt = MAX end
          end
          local paid = elapsed * r[5]
          if paid < debt then u = debt - paid end
        end
      end
    elseif v then
      s = {}
      for x in gmatch(v, '%d+') do s[#s + 1] = tonumber(x) end
      if kind == 1 then
        if #s ~= 3 then s = nil elseif now < s[2] then u = s[3] end
      else
        if #s % 2 == 0 then s = nil end
        for i = 2, s and #s - 1 or 0, 2 do if now < s[i] then u = u + s[i + 1] end end
      end
    end
    local fits = repeated or mode == 3
    if not fits and not (s and now < s[1]) then
      if kind == 0 then fits = u + cost * r[4] <= r[3] * r[4] else fits = u + cost <= r[2] end
    end
    if not fits and mode ~= 1 then
      allowed = false
      if mode == 0 then refused = true end
    end
    K[d], R[d], R0[d], C[d], M[d], S[d], U[d], P[d], F[d], B[d] = key, r, r0, cost, mode, s or false, u, fits, false, nil
  end

  -- Second pass: keep every charge, or only the cool-downs that start.
  for d = 1, repeated and 0 or n do
    local r, r0, cost, s, u, kind, fresh = R[d], R0[d], C[d], S[d], U[d], R[d][1], nil
    local starts = not P[d] and r0[9] > 0 and cost <= r0[3] and not (s and now < s[1])
    if M[d] ~= 2 and (starts or P[d] and allowed and cost ~= 0) then
            if starts then
        if not s then s = kind == 0 and { 0, now, 0, r[4], r[5] } or kind == 1 and { 0, 0, 0 } or { 0 } end
      elseif kind == 0 then
        u = u + cost * r[4]
        if u < 0 then u = 0 elseif u > MAX then u = MAX end
        s = { s and s[1] or 0, s and s[2] > now and s[2] or now, u, r[4], r[5] }
      elseif kind == 1 then
        if cost > 0 then
          if not s or now >= s[2] then
            local a, b, c = r[11], r[12], r[13]
            s = { s and s[1] or 0, a and (now < a and a or now < b and b or c) or now + r[6], 0 }
          end
          s[3] = s[3] + cost
        elseif s and now < s[2] and s[2] == E[d] then
          s[3] = s[3] > -cost and s[3] + cost or 0
        end
      elseif cost > 0 then
        local leaves, t = now - now % r[7] + r[7] + r[6], { s and s[1] or 0 }
        local placed = false
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
        while #t > 2 * r[8] + 3 do
          t[5] = t[5] + t[3]
          table.remove(t, 2)
          table.remove(t, 2)
        end
        s = t
      elseif now < E[d] then
        for i = 2, s and #s - 1 or 0, 2 do
          if s[i] == E[d] then
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
        if starts then s[1] = now + r[9] elseif s[1] <= now then s[1] = 0 end
        local v
        if kind == 0 then
          fresh = s[2] + ceil(s[3] / s[5])
          v = format('%.0f %.0f %.0f %.0f %.0f', s[1], s[2], s[3], s[4], s[5])
        else
          fresh = kind == 1 and s[2] or #s > 2 and s[#s - 1] or 0
          local t = {}
          for i = 1, #s do t[i] = format('%.0f', s[i]) end
          v = concat(t, ' ')
        end
        if s[1] > fresh then fresh = s[1] end
        local key, px, done = K[d], format('%.0f', ceil((fresh - now) / 1000) + 1000), nil
        if fresh <= now then
          v, done = false, redis.pcall('DEL', key)
        else
          done = redis.pcall('SET', key, v, 'PX', px)
        end
        if type(done) == 'table' and done.err then
          failed = done.err
          break
        end
        B[d] = { wrote[key], px }
        if B[d][1] == nil then B[d][1] = raw[k - n + d] end
        wrote[key], S[d] = v, s
        F[d] = kind == 0 and P[d] and cost > 0 and s[1] == 0 and s[2] == now
      end
    end
  end
  -- A group that is answered with an error was not charged: what it wrote already is taken back.
  for d = 1, failed and n or 0 do
    local before = B[d]
    if before then
      if before[1] then redis.pcall('SET', K[d], before[1], 'PX', before[2]) else redis.pcall('DEL', K[d]) end
      wrote[K[d]] = before[1]
    end
  end

  -- The penalty is scored after judging.
  if pr and not failed then
    local severity
    if pmode == 2 then severity = pamount
    elseif pmode == 0 and refused and (not p or p[4] == 0 or now >= p[3] + pr[5]) then severity = pr[4] end
    if severity or pmode == 3 then
      -- The reader would take the rule from the penalty as it is now.
      for d = 1, n do F[d] = false end
      p = p or { 0, 0, pmode == 3 and now or 0, 0, 0, 0 }
      if severity then
        local left = p[2] - floor((now > p[3] and now - p[3] or 0) * pr[3])
        p[2] = (left > 0 and left or 0) + severity
        if now > p[3] then p[3] = now end
        p[4] = p[4] + 1
        if now >= p[1] and floor(p[2] / 1e5 + 0.5) >= floor(pr[1] / 1e5 + 0.5) then
          local lasting, i = pr[2], 0
          while i < p[5] and lasting < pr[7] do lasting, i = lasting * pr[6], i + 1 end
          p[1] = now + math.min(floor(lasting), pr[7])
          p[5] = p[5] + 1
        end
      elseif now + pamount > p[1] then
        p[1] = now + pamount
      end
      local forgotten = pr[3] > 0 and math.min(ceil(p[2] / pr[3]), 31622400000000) or 31622400000000
      p[6] = math.max(p[1], p[3] + math.max(p[2] > 0 and forgotten or 0, p[4] > 0 and pr[5] or 0))
      local v = format('%.0f %.0f %.0f %.0f %.0f %.0f', p[1], p[2], p[3], p[4], p[5], p[6])
      redis.pcall('SET', pkey, v, 'PX', format('%.0f', ceil((p[6] - now) / 1000) + 1000))
      wrote[pkey] = v
    end
  end
  if okey and allowed and not repeated and not failed then
    local v = format('%.0f', oend)
    redis.pcall('SET', okey, v, 'PX', format('%.0f', ceil((oend - now) / 1000) + 1000))
    wrote[okey] = v
  end

  -- For an admitted bucket its debt alone: the rest of what was kept is known. Else all of it.
  if failed then
    out[#out + 1] = '!' .. failed
  elseif n == 1 and F[1] and not pkey then
    out[#out + 1] = S[1][3]
  else
    local t, v = { (allowed and '1' or '0') .. (repeated and '1' or '0') }, {}
    for i = 1, p and 6 or 0 do v[i] = format('%.0f', p[i]) end
    t[2] = concat(v, ' ')
    for d = 1, n do
      if F[d] then t[d + 2] = format('+%.0f', S[d][3])
      else
        v = { P[d] and '1' or '0' }
        for i = 1, S[d] and #S[d] or 0 do v[i + 1] = format('%.0f', S[d][i]) end
        t[d + 2] = concat(v, ' ')
      end
    end
    out[#out + 1] = concat(t, ';')
  end
end
return out
