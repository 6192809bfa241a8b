-- Scores the penalty, after the demands were judged. Mirrors core/src/algorithms/abuse-score.ts.
--@ takes penalty_key penalty_rule penalty_mode amount count items refused wrote
--@ gives score
if penalty_mode ~= PENALTY.READ and (penalty_mode ~= PENALTY.WATCH or refused) then
  local severity
  if penalty_mode == PENALTY.RECORD then severity = amount
  elseif penalty_mode == PENALTY.WATCH and (not score or score.violations == 0 or now >= score.last + penalty_rule.echo) then
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
      local left = score.points - floor((now > score.last and now - score.last or 0) * penalty_rule.decay)
      score.points = max(left, 0) + severity
      if now > score.last then score.last = now end
      score.violations = score.violations + 1
      if now >= score.ends and floor(score.points / 1e5 + 0.5) >= floor(penalty_rule.threshold / 1e5 + 0.5) then
        local lasting, i = penalty_rule.duration, 0
        while i < score.level and lasting < penalty_rule.longest do lasting, i = lasting * penalty_rule.factor, i + 1 end
        score.ends = now + min(floor(lasting), penalty_rule.longest)
        score.level = score.level + 1
      end
    elseif now + amount > score.ends then
      score.ends = now + amount
    end
    local forgotten = penalty_rule.decay > 0 and min(ceil(score.points / penalty_rule.decay), 31622400000000) or 31622400000000
    score.fresh = max(score.ends, score.last + max(score.points > 0 and forgotten or 0, score.violations > 0 and penalty_rule.echo or 0))
    local value = pack('>dddddd', score.ends, score.points, score.last, score.violations, score.level, score.fresh)
    try('SET', penalty_key, value, 'PX', ceil((score.fresh - now) / 1000) + 1000)
    wrote[penalty_key] = value
  end
end
