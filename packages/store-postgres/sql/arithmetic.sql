-- The debt of a bucket at `now`, in terms of (unit, rate). Mirrors core/src/algorithms/token-bucket.ts.
CREATE OR REPLACE FUNCTION halt.debt_v3(state float8[], now float8, unit float8, rate float8) RETURNS float8
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  debt float8 := state[3];
  elapsed float8 := greatest(now - state[2], 0);
  whole float8;
BEGIN
  IF state IS NULL OR elapsed * state[5] >= debt THEN
    RETURN 0;
  END IF;
  IF state[4] <> unit THEN
    whole := floor(debt / state[4]);
    debt := least(whole * unit + ceil((debt - whole * state[4]) / state[4] * unit), 9007199254740991);
  END IF;
  RETURN greatest(debt - elapsed * rate, 0);
END
$$;

-- The end of the period at `now`. Beyond the known edges, periods go on with the same length. Mirrors period.ts.
CREATE OR REPLACE FUNCTION halt.period_end_v3(edges float8[], now float8) RETURNS float8
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN now < edges[1] THEN edges[1] - floor((edges[1] - now - 1) / (edges[2] - edges[1])) * (edges[2] - edges[1])
    WHEN now < edges[2] THEN edges[2]
    WHEN now < edges[3] THEN edges[3]
    ELSE edges[3] + (floor((now - edges[3]) / (edges[3] - edges[2])) + 1) * (edges[3] - edges[2])
  END
$$;

-- A state after a charge of `cost` units to the sub-window of this instant. Mirrors core/src/algorithms/sliding-window.ts.
CREATE OR REPLACE FUNCTION halt.charge_sub_window_v3(
  state float8[], now float8, cost float8, span float8, slice float8, parts float8
) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  leaves float8 := now - mod(now::bigint, slice::bigint) + slice + span;
  list float8[] := ARRAY[coalesce(state[1], 0)];
  placed boolean := false;
  units float8;
  added float8 := cost;
  total float8 := 0;
BEGIN
  FOR i IN 2 .. coalesce(cardinality(state), 0) - 1 BY 2 LOOP
    IF state[i] > now THEN
      total := total + state[i + 1];
    END IF;
  END LOOP;
  added := least(added, 4503599627370496 - total);
  FOR i IN 2 .. coalesce(cardinality(state), 0) - 1 BY 2 LOOP
    units := state[i + 1];
    -- The sub-windows before the first that still counts are dropped.
    CONTINUE WHEN state[i] <= now AND cardinality(list) = 1;
    IF NOT placed AND state[i] = leaves THEN
      units := units + added;
      placed := true;
    ELSIF NOT placed AND state[i] > leaves THEN
      list := list || ARRAY[leaves, added];
      placed := true;
    END IF;
    list := list || ARRAY[state[i], units];
  END LOOP;
  IF NOT placed THEN
    list := list || ARRAY[leaves, added];
  END IF;
  -- A changed window may leave more sub-windows than the rule has. The oldest are merged.
  WHILE cardinality(list) > 2 * parts + 3 LOOP
    list := list[1:1] || ARRAY[list[4], list[5] + list[3]] || list[6:];
  END LOOP;
  RETURN list;
END
$$;

-- A state after a refund of `amount` units to the sub-window that was charged.
CREATE OR REPLACE FUNCTION halt.refund_sub_window_v3(state float8[], amount float8, charged_to float8) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  FOR i IN 2 .. coalesce(cardinality(state), 0) - 1 BY 2 LOOP
    CONTINUE WHEN state[i] <> charged_to;
    IF state[i + 1] > amount THEN
      state[i + 1] := state[i + 1] - amount;
      RETURN state;
    END IF;
    RETURN state[1:i - 1] || state[i + 2:];
  END LOOP;
  RETURN state;
END
$$;

-- The units of a state that count at `now`, less those that were granted. Not for buckets.
CREATE OR REPLACE FUNCTION halt.counted_v3(state float8[], now float8, kind int) RETURNS float8
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  sum float8 := 0;
BEGIN
  IF kind = 1 THEN
    RETURN CASE WHEN now < state[2] THEN state[3] - coalesce(state[4], 0) + halt.held_v3(state, now) ELSE 0 END;
  END IF;
  FOR i IN 2 .. coalesce(cardinality(state), 0) - 1 BY 2 LOOP
    IF now < state[i] THEN
      sum := sum + state[i + 1];
    END IF;
  END LOOP;
  RETURN sum;
END
$$;

-- The instant from which a state equals a fresh one, its cool-down included.
CREATE OR REPLACE FUNCTION halt.fresh_at_v3(state float8[], kind int) RETURNS float8
LANGUAGE sql IMMUTABLE AS $$
  SELECT greatest(state[1], CASE kind
    WHEN 0 THEN CASE
      WHEN state[10] IS NULL THEN state[2] + ceil(state[3] / state[5])
      ELSE greatest(greatest(state[2], state[1]) + ceil(state[3] / state[5]), state[10] + 1)
    END
    WHEN 1 THEN state[2]
    WHEN 4 THEN state[2]
    ELSE coalesce(state[cardinality(state) - 1], 0)
  END)
$$;

-- Writes a counter, or removes one that equals a fresh one.
CREATE OR REPLACE FUNCTION halt.keep_v3(p_key text, p_state float8[], p_fresh_at float8, p_now float8) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF p_fresh_at <= p_now THEN
    DELETE FROM halt.counters c WHERE c.key = p_key;
    RETURN;
  END IF;
  INSERT INTO halt.counters AS c (key, state, fresh_at) VALUES (p_key, p_state, p_fresh_at)
  ON CONFLICT (key) DO UPDATE SET state = excluded.state, fresh_at = excluded.fresh_at;
END
$$;
