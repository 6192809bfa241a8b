-- Units of a quota that calls have reserved and not used yet. Mirrors core/src/algorithms/holds.ts.

-- The units held at `now`, in the period that is open.
CREATE OR REPLACE FUNCTION halt.held_v3(state float8[], now float8) RETURNS float8
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  sum float8 := 0;
BEGIN
  IF now < state[2] THEN
    FOR i IN 5 .. cardinality(state) - 1 BY 2 LOOP
      IF now < state[i] THEN
        sum := sum + state[i + 1];
      END IF;
    END LOOP;
  END IF;
  RETURN sum;
END
$$;

-- Those of some units that are still held until `ending`.
CREATE OR REPLACE FUNCTION halt.still_held_v3(state float8[], now float8, ending float8, units float8) RETURNS float8
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF now < ending AND now < state[2] THEN
    FOR i IN 5 .. cardinality(state) - 1 BY 2 LOOP
      IF state[i] = ending THEN
        RETURN least(units, state[i + 1]);
      END IF;
    END LOOP;
  END IF;
  RETURN 0;
END
$$;

-- A quota's state without `back` units that are held until `ending`, and after a charge, a hold, a grant or a refund of `cost` units.
--
-- ttl  the time for which the units are held; 0 if they are charged
CREATE OR REPLACE FUNCTION halt.change_holds_v3(
  state float8[], now float8, cost float8, p_mode int, ttl float8, ending float8, back float8, charged_to float8, span float8,
  edges float8[]
) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  is_open boolean := coalesce(now < state[2], false);
  refunds boolean := cost < 0 AND p_mode <> 5 AND is_open AND state[2] = charged_to;
  grants boolean := p_mode = 5 AND (cost > 0 OR is_open);
  base float8[] := ARRAY[coalesce(state[1], 0), 0, 0];
  granted float8 := 0;
  ring float8[] := '{}';
  slice float8 := 131072;
  units float8;
  upto float8;
  placed boolean := false;
BEGIN
  IF NOT (back > 0 OR cost > 0 OR refunds OR grants) THEN
    RETURN state;
  END IF;
  IF is_open THEN
    base := state[1:3];
    granted := coalesce(state[4], 0);
  ELSIF cost > 0 THEN
    base[2] := CASE WHEN edges IS NULL THEN now + span ELSE halt.period_end_v3(edges, now) END;
  END IF;
  IF cost > 0 AND ttl > 0 THEN
    WHILE slice * 8 < ttl LOOP
      slice := slice * 2;
    END LOOP;
    upto := least(ceil((now + ttl) / slice) * slice, base[2]);
  END IF;
  IF is_open THEN
    FOR i IN 5 .. cardinality(state) - 1 BY 2 LOOP
      units := state[i + 1];
      IF back > 0 AND state[i] = ending THEN
        units := units - back;
      END IF;
      CONTINUE WHEN state[i] <= now OR units <= 0;
      IF NOT placed AND state[i] = upto THEN
        units := units + cost;
        placed := true;
      ELSIF NOT placed AND state[i] > upto THEN
        ring := ring || ARRAY[upto, cost];
        placed := true;
      END IF;
      ring := ring || ARRAY[state[i], units];
    END LOOP;
  END IF;
  IF upto IS NOT NULL AND NOT placed THEN
    ring := ring || ARRAY[upto, cost];
  END IF;
  IF grants THEN
    granted := greatest(least(granted + cost, 999999999999999), 0);
  ELSIF cost > 0 AND upto IS NULL THEN
    base[3] := least(base[3] + cost, 4503599627370496);
  ELSIF refunds THEN
    base[3] := greatest(base[3] + cost, 0);
  END IF;
  IF granted > 0 OR cardinality(ring) > 0 THEN
    base := base || granted || ring;
  END IF;
  RETURN base;
END
$$;
