-- Decides a group of one token bucket, the commonest group, as group_v1 does. Its counter is locked.
-- p_room    the capacity, and p_charge the cost, as debt
-- reply     '{now} {debt}' of a bucket that was charged at this instant; otherwise that of group_v1
CREATE OR REPLACE FUNCTION halt.bucket_v1(
  now float8, p_key text, p_unit float8, p_rate float8, p_room float8, p_charge float8, p_cooldown float8
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  at float8 := now;
  old float8[];
  fresh float8[];
  owed float8 := 0;
  mark text := '0';
BEGIN
  SELECT c.state INTO old FROM halt.counters c WHERE c.key = p_key;
  IF old IS NOT NULL THEN
    IF old[4] = p_unit AND now >= old[2] AND old[5] = p_rate THEN
      owed := greatest(old[3] - (now - old[2]) * p_rate, 0);
    ELSE
      owed := halt.debt_v1(old, now, p_unit, p_rate);
      at := greatest(old[2], now);
    END IF;
  END IF;
  owed := owed + p_charge;
  IF owed <= p_room AND (old IS NULL OR now >= old[1]) THEN
    mark := '1';
    fresh := ARRAY[0, at, owed, p_unit, p_rate];
  ELSIF p_cooldown > 0 AND p_charge <= p_room AND (old IS NULL OR now >= old[1]) THEN
    mark := '2';
    fresh := coalesce(old, ARRAY[0, now, 0, p_unit, p_rate]);
    fresh[1] := now + p_cooldown;
  END IF;
  IF mark <> '0' THEN
    IF old IS NOT NULL THEN
      UPDATE halt.counters c SET state = fresh, fresh_at = greatest(fresh[1], fresh[2] + ceil(fresh[3] / fresh[5]))
      WHERE c.key = p_key;
    END IF;
    -- A sweep may have removed the row meanwhile.
    IF old IS NULL OR NOT FOUND THEN
      INSERT INTO halt.counters AS c (key, state, fresh_at)
      VALUES (p_key, fresh, greatest(fresh[1], fresh[2] + ceil(fresh[3] / fresh[5])))
      ON CONFLICT (key) DO UPDATE SET state = excluded.state, fresh_at = excluded.fresh_at;
    END IF;
  END IF;
  IF mark = '1' AND at = now THEN
    RETURN now::bigint || ' ' || owed::bigint;
  END IF;
  fresh := coalesce(fresh, old);
  RETURN now::bigint || CASE mark WHEN '1' THEN ';10;;;;1' ELSE ';00;;;;' || mark END
    || coalesce(' ' || array_to_string(fresh::bigint[], ' '), '');
END
$$;
