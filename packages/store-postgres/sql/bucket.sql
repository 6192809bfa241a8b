-- Decides a group of one token bucket, the commonest group, as group_v3 does. A call of one such group is this function alone.
--
-- p_now    the clock in microseconds; NULL for the server's
-- p_room   the capacity, and p_charge the cost, as debt
-- p_sweep  the stretch of pages that is swept; negative for no sweep
-- p_own_clock  whether `p_now` is the server's clock. Default: if it is NULL
-- reply    '{now} {debt}' of a bucket that was charged at this instant; otherwise that of group_v3
CREATE OR REPLACE FUNCTION halt.bucket_v3(
  p_now float8, p_key text, p_unit float8, p_rate float8, p_room float8, p_charge float8, p_cooldown float8, p_sweep bigint,
  p_own_clock boolean DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' SET enable_seqscan = off AS $$
DECLARE
  now float8;
  at float8;
  old float8[];
  fresh float8[];
  owed float8 := 0;
  mark text := '0';
BEGIN
  -- The lock and the commit are those of decide_v3.
  IF pg_advisory_xact_lock(hashtextextended(p_key, 'halt.counters'::regclass::oid::bigint)) IS NULL
    OR set_config('synchronous_commit', 'off', true) IS NULL THEN END IF;
  now := coalesce(p_now, round(date_part('epoch', clock_timestamp()) * 1e6));
  IF p_sweep >= 0 THEN
    PERFORM halt.sweep_v3(p_sweep, 32);
  END IF;
  -- An admission of a known bucket needs one statement. Every expression costs a check about a microsecond.
  UPDATE halt.counters c SET
    state = ARRAY[0, now, greatest(c.state[3] - (now - c.state[2]) * p_rate, 0) + p_charge, p_unit, p_rate],
    fresh_at = now + ceil((greatest(c.state[3] - (now - c.state[2]) * p_rate, 0) + p_charge) / p_rate)
  WHERE c.key = p_key AND c.state[4] = p_unit AND c.state[5] = p_rate AND c.state[2] <= now AND c.state[1] <= now
    AND greatest(c.state[3] - (now - c.state[2]) * p_rate, 0) + p_charge <= p_room
    -- Callers may wait in front of it.
    AND c.state[6] IS NULL
  RETURNING c.state[3] INTO owed;
  IF FOUND THEN
    RETURN now::bigint || ' ' || owed::bigint;
  END IF;

  SELECT c.state INTO old FROM halt.counters c WHERE c.key = p_key;
  IF old[6] IS NOT NULL THEN
    RETURN halt.group_v3(
      now,
      ARRAY[p_key],
      ARRAY[1, 0, 0, 1, 0, p_charge / p_unit, 0, 0, 0, p_cooldown, p_room / p_unit, p_unit, p_rate, 0, 0, 0],
      coalesce(p_own_clock, p_now IS NULL)
    );
  END IF;
  owed := halt.debt_v3(old, now, p_unit, p_rate) + p_charge;
  at := greatest(old[2], now);
  IF owed <= p_room AND (old IS NULL OR now >= old[1]) THEN
    mark := '1';
    fresh := ARRAY[0, at, owed, p_unit, p_rate];
  ELSIF p_cooldown > 0 AND p_charge <= p_room AND (old IS NULL OR now >= old[1]) THEN
    mark := '2';
    fresh := coalesce(old, ARRAY[0, now, 0, p_unit, p_rate]);
    fresh[1] := now + p_cooldown;
  END IF;
  IF mark <> '0' THEN
    PERFORM halt.keep_v3(p_key, fresh, halt.fresh_at_v3(fresh, 0), now);
  END IF;
  IF mark = '1' AND at = now THEN
    RETURN now::bigint || ' ' || owed::bigint;
  END IF;
  fresh := coalesce(fresh, old);
  RETURN now::bigint || CASE mark WHEN '1' THEN ';10;;;;1' ELSE ';00;;;;' || mark END
    || coalesce(' ' || array_to_string(fresh::bigint[], ' '), '');
END
$$;
