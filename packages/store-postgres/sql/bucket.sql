-- Decides a group of one token bucket, the commonest group, as group_v2 does. A call of one such group is this function alone.
--
-- p_now    the clock in microseconds; NULL for the server's
-- p_room   the capacity, and p_charge the cost, as debt
-- p_sweep  the stretch of pages that is swept; negative for no sweep
-- reply    '{now} {debt}' of a bucket that was charged at this instant; otherwise that of group_v2
CREATE OR REPLACE FUNCTION halt.bucket_v2(
  p_now float8, p_key text, p_unit float8, p_rate float8, p_room float8, p_charge float8, p_cooldown float8, p_sweep bigint
) RETURNS text
LANGUAGE plpgsql SET lock_timeout = '1s' SET enable_seqscan = off AS $$
DECLARE
  now float8;
  at float8;
  old float8[];
  fresh float8[];
  owed float8 := 0;
  mark text := '0';
BEGIN
  -- The lock and the commit are those of decide_v2.
  IF pg_advisory_xact_lock(hashtextextended(p_key, 'halt.counters'::regclass::oid::bigint)) IS NULL
    OR set_config('synchronous_commit', 'off', true) IS NULL THEN END IF;
  now := coalesce(p_now, round(date_part('epoch', clock_timestamp()) * 1e6));
  IF p_sweep >= 0 THEN
    PERFORM halt.sweep_v2(p_sweep, 32);
  END IF;
  -- An admission of a known bucket needs one statement. Every expression costs a check about a microsecond.
  UPDATE halt.counters c SET
    state = ARRAY[0, now, greatest(c.state[3] - (now - c.state[2]) * p_rate, 0) + p_charge, p_unit, p_rate],
    fresh_at = now + ceil((greatest(c.state[3] - (now - c.state[2]) * p_rate, 0) + p_charge) / p_rate)
  WHERE c.key = p_key AND c.state[4] = p_unit AND c.state[5] = p_rate AND c.state[2] <= now AND c.state[1] <= now
    AND greatest(c.state[3] - (now - c.state[2]) * p_rate, 0) + p_charge <= p_room
  RETURNING c.state[3] INTO owed;
  IF FOUND THEN
    RETURN now::bigint || ' ' || owed::bigint;
  END IF;

  SELECT c.state INTO old FROM halt.counters c WHERE c.key = p_key;
  owed := halt.debt_v2(old, now, p_unit, p_rate) + p_charge;
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
    PERFORM halt.keep_v2(p_key, fresh, halt.fresh_at_v2(fresh, 0), now);
  END IF;
  IF mark = '1' AND at = now THEN
    RETURN now::bigint || ' ' || owed::bigint;
  END IF;
  fresh := coalesce(fresh, old);
  RETURN now::bigint || CASE mark WHEN '1' THEN ';10;;;;1' ELSE ';00;;;;' || mark END
    || coalesce(' ' || array_to_string(fresh::bigint[], ' '), '');
END
$$;
