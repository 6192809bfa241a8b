-- How long a tenant waits for its share, if nobody else asks. A permit may be given back sooner.
pooled := items[item.pool_at];
own := 0;
IF item.kind = 4 THEN
  IF item.turn_at > item.clock[1] THEN
    pace := halt.pace_v3(pooled.capacity, pooled.unit, pooled.rate);
    own := least(
      halt.run_clock_v3(pooled.used, NULL, item.turn_at - item.clock[1], pooled.rate, pace),
      greatest(0, ceil((pooled.used + item.need * pooled.unit - pace[1]) / pooled.rate)),
      greatest(0, coalesce(item.state[2], 0) - now)
    );
  END IF;
ELSE
  factor := least(4 * item.weight, greatest(4, floor(pooled.capacity / 5)));
  SELECT coalesce(min(ends.at), now) - now INTO own
  FROM (
    SELECT item.state[own_end] AS at FROM generate_series(2, coalesce(cardinality(item.state), 0) - 1, 2) own_end
    UNION
    SELECT pooled.state[some_end] FROM generate_series(2, coalesce(cardinality(pooled.state), 0) - 1, 2) some_end
  ) ends
  CROSS JOIN LATERAL (
    SELECT halt.counted_v3(item.state, ends.at, 3) + item.need AS mine,
      halt.counted_v3(pooled.state, ends.at, 3) AS taken
  ) then_
  WHERE ends.at > now AND (then_.taken = 0 OR then_.mine <= 1 OR then_.mine <= factor * (pooled.capacity - then_.taken - item.need));
END IF;
