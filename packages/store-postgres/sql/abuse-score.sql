-- Scores the penalty, after the demands were judged. Mirrors core/src/algorithms/abuse-score.ts.
IF penalty_key IS NOT NULL THEN
  IF n[p + 1] = 2 THEN
    severity := n[p + 2];
  ELSIF n[p + 1] = 0 AND refused AND (score IS NULL OR score[4] = 0 OR now >= score[3] + n[p + 7]) THEN
    severity := n[p + 6];
  END IF;
  IF severity IS NOT NULL OR n[p + 1] = 3 THEN
    score := coalesce(score, ARRAY[0, 0, CASE n[p + 1] WHEN 3 THEN now ELSE 0 END, 0, 0, 0]);
    IF severity IS NOT NULL THEN
      points := greatest(score[2] - floor(greatest(now - score[3], 0) * n[p + 5]), 0) + severity;
      score[2] := points;
      score[3] := greatest(score[3], now);
      score[4] := score[4] + 1;
      IF now >= score[1] AND floor(points / 1e5 + 0.5) >= floor(n[p + 3] / 1e5 + 0.5) THEN
        lasting := n[p + 4];
        level := 0;
        WHILE level < score[5] AND lasting < n[p + 9] LOOP
          lasting := lasting * n[p + 8];
          level := level + 1;
        END LOOP;
        score[1] := now + least(floor(lasting), n[p + 9]);
        score[5] := score[5] + 1;
      END IF;
    ELSE
      score[1] := greatest(score[1], now + n[p + 2]);
    END IF;
    -- A score is kept for at most a year after the last violation, even if it never decays.
    forgotten := CASE WHEN n[p + 5] > 0 THEN least(ceil(score[2] / n[p + 5]), 31622400000000) ELSE 31622400000000 END;
    score[6] := greatest(
      score[1],
      score[3] + greatest(
        CASE WHEN score[2] > 0 THEN forgotten ELSE 0 END,
        CASE WHEN score[4] > 0 THEN n[p + 7] ELSE 0 END
      )
    );
    PERFORM halt.keep_v3(penalty_key, score, score[6], now);
  END IF;
END IF;
