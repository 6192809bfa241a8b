-- Decides groups, one after the other, at one instant. A check is one
-- call of it, or of bucket_v3, and a call may hold several checks.
--
-- p_now      the clock in microseconds; NULL for the server's
-- p_keys     the keys of all counters, in lines, each once, in the order of their bytes
-- p_groups   the numbers of each group, in lines: those of group_v3; or -1, the key and the numbers of bucket_v3
-- p_sweep    the stretch of pages that is swept; negative for no sweep
-- reply      the reply to each group, in lines
--
-- The functions that the store calls set the search path, and those that they call inherit it, so that nobody's look-alikes of operators
-- run. To set it in the latter too would double the cost of a check.
--
-- A plan that was made while the table was small must not read the whole table later, so none may.
CREATE OR REPLACE FUNCTION halt.decide_v3(p_now float8, p_keys text, p_groups text, p_sweep bigint) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' SET enable_seqscan = off AS $$
DECLARE
  keys text[] := string_to_array(p_keys, E'\n');
  key text;
  line text;
  n float8[];
  now float8;
  reply text;
BEGIN
  -- Locks counters until the transaction ends, those without a row too. Every call sorts its keys, so that two never wait for
  -- each other.
  FOREACH key IN ARRAY keys LOOP
    IF pg_advisory_xact_lock(hashtextextended(key, 'halt.counters'::regclass::oid::bigint)) IS NULL THEN END IF;
  END LOOP;
  -- Read the clock after the locks, so that a check that waited gets a later instant than the one it waited for.
  now := coalesce(p_now, round(date_part('epoch', clock_timestamp()) * 1e6));
  -- A crash of the server may lose the charges of its last moments, but no check waits for a disk.
  IF set_config('synchronous_commit', 'off', true) IS NULL THEN END IF;
  FOREACH line IN ARRAY string_to_array(p_groups, E'\n') LOOP
    n := string_to_array(line, ' ')::float8[];
    IF n[1] >= 0 THEN
      line := halt.group_v3(now, keys, n, p_now IS NULL);
    ELSE
      line := halt.bucket_v3(now, keys[n[2]::int], n[3], n[4], n[5], n[6], n[7], -1, p_now IS NULL);
    END IF;
    reply := concat_ws(E'\n', reply, line);
  END LOOP;
  IF p_sweep >= 0 THEN
    PERFORM halt.sweep_v3(p_sweep, 32);
  END IF;
  RETURN reply;
END
$$;
