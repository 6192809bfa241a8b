-- Second pass: writes every charge, or only the cool-downs that start.
FOR d IN 1 .. count LOOP
  item := items[d];
  IF item.kind = 4 THEN
    --@ include "keep-turn.sql"
    CONTINUE;
  END IF;
  CONTINUE WHEN item.mode = 2 OR repeated AND item.kind < 3;
  state := item.state;
  blocked := coalesce(state[1], 0);
  IF item.mode = 6 OR NOT item.fits THEN
    IF item.mode = 6 THEN
      CONTINUE WHEN CASE WHEN item.cooldown = 0 THEN blocked <= now ELSE now + item.cooldown <= blocked END;
    ELSE
      CONTINUE WHEN item.own_cooldown = 0 OR start IS NOT NULL OR item.cost > item.own_capacity OR now < blocked;
    END IF;
    -- A refusal in favour of others starts none.
    IF item.others > 0 THEN
      units := item.need - item.others;
      CONTINUE WHEN CASE item.kind
        WHEN 0 THEN item.used + units * item.unit <= item.capacity * item.unit
        ELSE item.used + units <= item.capacity
      END;
    END IF;
    item.starts := true;
    IF state IS NULL THEN
      state := CASE item.kind
        WHEN 0 THEN ARRAY[0, now, 0, item.unit, item.rate]
        WHEN 1 THEN '{0,0,0}'::float8[]
        ELSE '{0}'::float8[]
      END;
    END IF;
    -- A line is paid before it changes.
    IF item.kind = 0 THEN
      state := coalesce(item.line, state);
      -- A line is kept no longer than without the cool-down that ends.
      IF item.cooldown = 0 AND state[6] IS NOT NULL THEN
        state[10] := now + 2500000;
      END IF;
      state := halt.keep_line_v3(state, now, item.capacity * item.unit, now + item.cooldown);
    END IF;
    state[1] := CASE WHEN item.cooldown = 0 THEN 0 ELSE now + item.cooldown END;
  ELSE
    -- What time has paid back since the charge is not given back again.
    IF item.kind = 0 AND item.cost < 0 AND item.charged_to > 0 THEN
      item.cost := least(0, item.cost + ceil(greatest(0, now - item.charged_to) * item.rate / item.unit));
    END IF;
    CONTINUE WHEN NOT allowed OR item.mode = 3 OR item.placed AND item.mode < 4
      OR item.cost = 0 AND item.back = 0 AND item.mode < 7;
    IF item.kind = 0 THEN
      --@ include "keep-bucket.sql"
    ELSIF item.kind = 1 AND item.mode = 8 THEN
      CONTINUE WHEN state IS NULL OR now >= state[2];
      state[2] := state[2] - 1;
      state[3] := 0;
    ELSIF item.kind = 1 AND (item.kept_for > 0 OR cardinality(state) > 4) THEN
      state := halt.change_holds_v3(
        state, now, item.cost, item.mode, item.kept_for, item.receipt, item.back, item.charged_to, item.span, item.edges
      );
    ELSIF item.kind = 1 THEN
      IF item.cost > 0 THEN
        IF state IS NULL OR now >= state[2] THEN
          state := ARRAY[
            coalesce(state[1], 0),
            CASE WHEN item.edges IS NULL THEN now + item.span ELSE halt.period_end_v3(item.edges, now) END,
            0
          ];
        END IF;
        IF item.mode = 5 THEN
          state[4] := least(coalesce(state[4], 0) + item.cost, 999999999999999);
        ELSE
          state[3] := least(state[3] + item.cost, 4503599627370496);
        END IF;
      ELSIF item.mode = 5 THEN
        CONTINUE WHEN state IS NULL OR now >= state[2] OR cardinality(state) < 4;
        state[4] := greatest(state[4] + item.cost, 0);
        IF state[4] = 0 THEN
          state := state[1:3];
        END IF;
      ELSIF now < state[2] AND state[2] = item.charged_to THEN
        state[3] := greatest(state[3] + item.cost, 0);
      END IF;
    ELSIF item.cost > 0 THEN
      state := halt.charge_sub_window_v3(state, now, item.cost, item.span, item.slice, item.parts);
    ELSIF now < item.charged_to THEN
      state := halt.refund_sub_window_v3(state, -item.cost, item.charged_to);
    END IF;
    CONTINUE WHEN state IS NULL;
    IF state[1] <= now THEN
      state[1] := 0;
    END IF;
  END IF;
  item.state := state;
  items[d] := item;
  fresh := halt.fresh_at_v3(state, item.kind);
  -- A clock begins with the first debt.
  IF item.clock IS NOT NULL AND (fresh > now OR item.clock[2] < now) THEN
    -- The reading is that of `now`, so the debt must be, too. A line was paid already.
    IF cardinality(state) = 5 AND state[2] < now THEN
      state := ARRAY[state[1], now, CASE WHEN state[3] > 0 THEN item.used ELSE 0 END, item.unit, item.rate];
    END IF;
    state := halt.with_clock_v3(state, item.clock, now, halt.pace_v3(item.capacity, item.unit, item.rate));
    fresh := greatest(fresh, state[cardinality(state)]);
  END IF;
  PERFORM halt.keep_v3(item.key, state, fresh, now);
END LOOP;
