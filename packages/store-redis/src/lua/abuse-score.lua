-- Scores the penalty, after the demands were judged. Mirrors core/src/algorithms/abuse-score.ts.
if penalty_rule and not failed then
  local severity
  if penalty_mode == PENALTY.RECORD then severity = amount
  elseif penalty_mode == PENALTY.WATCH and refused and (not score or score.violations == 0 or now >= score.last + penalty_rule.echo) then
    severity = penalty_rule.severity
  end
  if severity or penalty_mode == PENALTY.APPLY then
    -- The short reply makes the reader choose the rule by the new penalty, so give the whole state.
    for d = 1, count do
      local item = items[d]
      item.short = false
    end
    score = score or { 0, 0, penalty_mode == PENALTY.APPLY and now or 0, 0, 0, 0 }
    if severity then
      local left = score.points - math.floor((now > score.last and now - score.last or 0) * penalty_rule.decay)
      score.points = (left > 0 and left or 0) + severity
      if now > score.last then score.last = now end
      score.violations = score.violations + 1
      if now >= score.ends and math.floor(score.points / 1e5 + 0.5) >= math.floor(penalty_rule.threshold / 1e5 + 0.5) then
        local lasting, i = penalty_rule.duration, 0
        while i < score.level and lasting < penalty_rule.longest do lasting, i = lasting * penalty_rule.factor, i + 1 end
        score.ends = now + math.min(math.floor(lasting), penalty_rule.longest)
        score.level = score.level + 1
      end
    elseif now + amount > score.ends then
      score.ends = now + amount
    end
    local forgotten = penalty_rule.decay > 0 and math.min(ceil(score.points / penalty_rule.decay), 31622400000000) or 31622400000000
    score.fresh = math.max(score.ends, score.last + math.max(score.points > 0 and forgotten or 0, score.violations > 0 and penalty_rule.echo or 0))
    local value = pack('>dddddd', score.ends, score.points, score.last, score.violations, score.level, score.fresh)
    try('SET', penalty_key, value, 'PX', ceil((score.fresh - now) / 1000) + 1000)
    wrote[penalty_key] = value
  end
end
