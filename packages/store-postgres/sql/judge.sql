-- First pass: judges each demand. `used` is the debt or the count of its counter at this instant.
FOR d IN 1 .. count LOOP
  item := NULL;
  item.key := keys[n[i]::int];
  item.mode := n[i + 1];
  item.cost := n[i + 2];
  item.charged_to := n[i + 3];
  item.kind := n[i + 5];
  item.own_cooldown := n[i + 6];
  item.own_capacity := n[i + 7];
  marks := n[i + 4];
  rule := i + 6;
  i := i + 13;
  -- The rule under a penalty follows the normal one.
  IF marks & 1 > 0 THEN
    IF penalized THEN
      rule := i;
    END IF;
    i := i + 7;
  END IF;
  item.cooldown := n[rule];
  item.capacity := n[rule + 1];
  item.unit := n[rule + 2];
  item.rate := n[rule + 3];
  item.span := n[rule + 4];
  item.slice := n[rule + 5];
  item.parts := n[rule + 6];
  IF marks & 2 > 0 THEN
    item.edges := n[i:i + 2];
    i := i + 3;
  END IF;
  -- The units that must be left for the demand to pass: the fewest that it accepts, and those that it leaves to others.
  item.need := item.cost;
  item.others := 0;
  item.kept_for := 0;
  item.back := 0;
  item.placed := false;
  IF marks & 4 > 0 THEN
    has_terms := true;
    item.max_wait := n[i];
    item.least := nullif(n[i + 1], -1);
    item.others := greatest(ceil(n[i + 2] * item.capacity - 1e-6), 0);
    item.kept_for := n[i + 3];
    item.receipt := nullif(n[i + 4], -1);
    item.receipt_of := n[i + 5];
    item.placed := item.kind = 0 AND item.receipt IS NOT NULL;
    item.need := coalesce(item.least, item.cost) + item.others;
    IF n[i + 6] > 0 THEN
      -- A tenant's own counter follows that of the pool.
      item.pool_at := d - 1;
      item.weight := n[i + 6];
    END IF;
    i := i + 7;
  END IF;

  SELECT c.state INTO state FROM halt.counters c WHERE c.key = item.key;
  IF item.kind = 0 AND (state[6] = 2 AND cardinality(state) = 9 OR state[6] = 3 AND cardinality(state) > 9) THEN
    pace := halt.pace_v3(item.capacity, item.unit, item.rate);
    item.clock := halt.clock_v3(state, now, item.unit, item.rate, pace);
    state := state[1:5] || CASE state[6] WHEN 3 THEN 1::float8 || state[7:cardinality(state) - 3] ELSE '{}'::float8[] END;
  END IF;
  IF item.kind <= 1 AND cardinality(state) > 5 THEN
    IF (CASE item.kind
      WHEN 1 THEN cardinality(state) % 2 = 1
      ELSE state[6] <> 1 OR cardinality(state) < 11 OR cardinality(state) % 2 = 0
    END) THEN
      RAISE EXCEPTION USING ERRCODE = 'ZH001', MESSAGE = 'a newer version of Halt wrote the counter ' || item.key;
    END IF;
    -- A line that is over may still be stored. Its counter equals a fresh one.
    IF item.kind = 1 THEN
      IF item.receipt > 0 THEN
        item.back := halt.still_held_v3(state, now, item.receipt, item.receipt_of);
        item.need := item.need - item.back;
      END IF;
    ELSIF halt.fresh_at_v3(state, 0) <= now THEN
      state := NULL;
    ELSE
      -- A correction leaves a line the numbers that it has.
      IF item.mode = 4 THEN
        item.unit := state[4];
        item.rate := state[5];
      END IF;
      item.line := halt.pay_line_v3(state, now, item.capacity, item.unit, item.rate, own_clock);
    END IF;
  END IF;
  -- A correction leaves a bucket the numbers that it has, which may be newer.
  IF item.mode = 4 AND item.kind = 0 AND item.line IS NULL AND greatest(now - state[2], 0) * state[5] < state[3] THEN
    item.unit := state[4];
    item.rate := state[5];
  END IF;
  item.state := state;
  IF state IS NULL OR item.kind = 4 THEN
    item.used := 0;
  ELSIF item.line IS NOT NULL THEN
    item.used := item.line[3];
  ELSIF item.kind = 0 THEN
    item.used := halt.debt_v3(state, now, item.unit, item.rate);
  ELSE
    item.used := halt.counted_v3(state, now, item.kind);
  END IF;
  -- What tells is never refused. A repeated call takes its permits like any other, and is not charged otherwise.
  item.fits := repeated AND item.kind <> 3 OR item.mode >= 4;
  IF item.line IS NOT NULL AND item.placed AND item.mode = 4 AND item.cost < 0 THEN
    item.line := halt.leave_line_v3(item.line, -item.cost, item.receipt, item.receipt_of, item.capacity * item.unit);
  END IF;
  IF item.pool_at > 0 AND NOT (repeated AND item.kind <> 3) THEN
    IF item.kind = 4 THEN
      --@ include "turn.sql"
    ELSIF NOT item.fits THEN
      pooled := items[item.pool_at];
      factor := least(4 * item.weight, greatest(4, floor(pooled.capacity / 5)));
      item.fits := item.need = 0 OR pooled.used = 0 OR item.used + item.need <= 1
        OR item.used + item.need <= factor * (pooled.capacity - pooled.used - item.need);
    END IF;
  ELSIF item.pool_at IS NULL AND NOT item.fits AND (state IS NULL OR now >= state[1]) THEN
    -- The turn of a place has come, and it was charged then.
    item.fits := item.placed OR CASE item.kind
      WHEN 0 THEN item.used + item.need * item.unit <= item.capacity * item.unit
      ELSE item.back > 0 AND item.need - item.others <= 0 OR item.used + item.need <= item.capacity
    END;
  END IF;
  IF NOT item.fits AND item.mode <> 1 THEN
    allowed := false;
    IF item.mode <> 2 THEN
      refused := true;
    END IF;
  END IF;
  IF item.pool_at > 0 THEN
    -- A policy that only reports is charged on its pool and on the share, or on neither.
    IF item.mode = 1 AND item.fits <> (items[item.pool_at]).fits THEN
      item.fits := false;
      items[item.pool_at].fits := false;
    END IF;
    items[item.pool_at].for_turn := NOT item.fits;
  END IF;
  item.starts := false;
  item.joins := false;
  items[d] := item;
END LOOP;
-- The idempotency key is kept if a demand is charged, now or at the end of the request.
FOR d IN 1 .. count LOOP
  item := items[d];
  IF item.fits AND (item.mode = 3 OR item.mode <> 2 AND item.cost <> 0) THEN
    keeps_key := true;
  END IF;
END LOOP;
