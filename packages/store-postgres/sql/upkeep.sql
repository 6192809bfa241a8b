-- Removes counters that equal fresh ones from one stretch of `p_pages` pages. Stretches beyond the end are counted from the start.
-- It waits for nobody: rows that somebody has locked stay.
-- Without statistics the planner would read the whole table for every few rows, so it may not.
CREATE OR REPLACE FUNCTION halt.sweep_v3(p_stretch bigint, p_pages int) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  size bigint := pg_relation_size('halt.counters') / current_setting('block_size')::int;
  -- A second of grace: a counter that a check has just read as expired need not vanish under it.
  ended float8 := round(date_part('epoch', clock_timestamp()) * 1e6) - 1000000;
  page bigint;
  removed int;
BEGIN
  IF size = 0 THEN
    RETURN 0;
  END IF;
  page := mod(p_stretch, (size + p_pages - 1) / p_pages) * p_pages;
  DELETE FROM halt.counters c WHERE c.ctid = ANY (ARRAY(
    SELECT s.ctid FROM halt.counters s
    WHERE s.ctid >= format('(%s,0)', page)::tid AND s.ctid < format('(%s,0)', page + p_pages)::tid AND s.fresh_at <= ended
    FOR UPDATE SKIP LOCKED
  ));
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$$;

-- The pages of the table.
CREATE OR REPLACE FUNCTION halt.pages_v3() RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_relation_size('halt.counters') / current_setting('block_size')::int
$$;

-- Removes counters. Returns how many existed. The keys come in lines, in the order of their bytes.
CREATE OR REPLACE FUNCTION halt.forget_v3(p_keys text) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' SET enable_seqscan = off AS $$
DECLARE
  keys text[] := string_to_array(p_keys, E'\n');
  key text;
  removed int;
BEGIN
  FOREACH key IN ARRAY keys LOOP
    IF pg_advisory_xact_lock(hashtextextended(key, 'halt.counters'::regclass::oid::bigint)) IS NULL THEN END IF;
  END LOOP;
  DELETE FROM halt.counters c WHERE c.key = ANY (keys);
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$$;

-- Notes that a process is alive, and returns how many are. A process that stays silent for `p_seconds` is forgotten.
CREATE OR REPLACE FUNCTION halt.beat_v3(p_prefix text, p_id text, p_seconds float8) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO halt.instances AS i (prefix, id, seen) VALUES (p_prefix, p_id, clock_timestamp())
  ON CONFLICT (prefix, id) DO UPDATE SET seen = excluded.seen;
  DELETE FROM halt.instances i WHERE i.ctid = ANY (ARRAY(
    SELECT o.ctid FROM halt.instances o
    WHERE o.prefix = p_prefix AND o.seen < clock_timestamp() - p_seconds * interval '1 second'
    FOR UPDATE SKIP LOCKED
  ));
  RETURN (SELECT count(*) FROM halt.instances i WHERE i.prefix = p_prefix);
END
$$;

-- Fails if this server could not count: it has no table, or it or this role must not write.
CREATE OR REPLACE FUNCTION halt.probe_v3() RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM 1 FROM halt.counters c WHERE c.key = '';
  IF pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean THEN
    RAISE read_only_sql_transaction USING MESSAGE = 'this server is read-only';
  END IF;
  IF NOT (
    has_table_privilege('halt.counters', 'INSERT') AND has_table_privilege('halt.counters', 'UPDATE')
    AND has_table_privilege('halt.counters', 'DELETE')
  ) THEN
    RAISE insufficient_privilege USING MESSAGE = 'permission denied to write the counters';
  END IF;
  RETURN 1;
END
$$;

-- Writes a document, under the version `p_next`, if its version is still `p_since`. Returns the new version, or NULL.
CREATE OR REPLACE FUNCTION halt.write_v3(p_name text, p_text text, p_since text, p_next text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_since = '0' THEN
    INSERT INTO halt.documents AS d (name, version, text) VALUES (p_name, p_next, p_text) ON CONFLICT (name) DO NOTHING;
  ELSE
    UPDATE halt.documents d SET version = p_next, text = p_text WHERE d.name = p_name AND d.version = p_since;
  END IF;
  RETURN CASE WHEN FOUND THEN p_next END;
END
$$;
