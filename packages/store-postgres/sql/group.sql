-- Decides a group of demands. Mirrors the loop of core/src/store/decide.ts and the steps of core/src/algorithms: read them side
-- by side.
--
-- keys   the keys of the call, whose counters are locked
-- n      the number of demands; the penalty; the idempotency key; the demands (src/call.ts writes them)
-- reply  '{now};{allowed}{repeated};{wait};{grants};{penalty};{demand};…'. `wait` is the microseconds for which the caller
--        has to wait, `grants` the units of each demand if one accepts fewer than its cost; both may be empty. A demand is a
--        sign (1 passed, 2 starts a cool-down, 0 neither) and the numbers of its counter. src/reply.ts checks and reads it.
--
-- Kinds: 0 bucket, 1 window, 2 sub-windows, 3 permits, 4 tags. Modes: 0 charge, 1 shadow, 2 peek, 3 defer, 4 settle, 5 grant, 6 block,
-- 7 look, 8 reset.
-- Penalty modes: 0 watch, 1 read, 2 record, 3 apply.
CREATE OR REPLACE FUNCTION halt.group_v3(now float8, keys text[], n float8[], own_clock boolean) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  i int := 2;
  count int := n[1];
  items halt.item_v3[] := '{}';
  item halt.item_v3;
  pooled halt.item_v3;
  state float8[];
  line float8[];
  allowed boolean := true;
  refused boolean := false;
  -- The penalty: its key, its rule's first number, its state.
  penalty_key text;
  p int;
  score float8[];
  penalized boolean := false;
  severity float8;
  points float8;
  lasting float8;
  forgotten float8;
  level int;
  -- The idempotency key.
  once_key text;
  once_ends float8;
  repeated boolean := false;
  keeps_key boolean := count = 0;
  -- Terms.
  has_terms boolean := false;
  has_least boolean := false;
  start float8;
  own float8;
  excess float8;
  joins boolean := false;
  joining int := 0;
  exact boolean;
  pool float8;
  room float8;
  blocked float8;
  most float8 := 'Infinity';
  units float8;
  -- Shares of a pool.
  pace float8[];
  tag float8;
  factor float8;
  fresh float8;
  -- A demand's marks: 1 with a rule under a penalty, 2 with a calendar, 4 with terms. The first number of its rule.
  marks int;
  rule int;
  reply text;
BEGIN
  IF n[i] > 0 THEN
    penalty_key := keys[n[i]::int];
    p := i;
    i := i + 10;
    SELECT c.state INTO score FROM halt.counters c WHERE c.key = penalty_key;
    IF now >= score[6] THEN
      score := NULL;
    END IF;
    penalized := coalesce(now < score[1], false);
  ELSE
    i := i + 1;
  END IF;
  IF n[i] > 0 THEN
    once_key := keys[n[i]::int];
    SELECT now < c.state[1] INTO repeated FROM halt.counters c WHERE c.key = once_key;
    repeated := coalesce(repeated, false);
    once_ends := CASE WHEN n[i + 1] > 0 THEN now + n[i + 1] ELSE halt.period_end_v3(n[i + 2:i + 4], now) END;
    i := i + 5;
  ELSE
    i := i + 1;
  END IF;

  --@ include "judge.sql"
  IF has_terms THEN
    --@ include "terms.sql"
  END IF;
  --@ include "keep.sql"
  --@ include "abuse-score.sql"
  IF once_key IS NOT NULL AND keeps_key AND allowed AND NOT repeated THEN
    PERFORM halt.keep_v3(once_key, ARRAY[once_ends], once_ends, now);
  END IF;
  reply := now::bigint || ';' || allowed::int || repeated::int || ';' || coalesce(start::bigint::text, '') || ';';
  IF has_least AND allowed THEN
    FOR d IN 1 .. count LOOP
      reply := reply || CASE d WHEN 1 THEN '' ELSE ' ' END || (items[d]).cost::bigint;
    END LOOP;
  END IF;
  reply := reply || ';' || coalesce(array_to_string(score::bigint[], ' '), '');
  FOR d IN 1 .. count LOOP
    item := items[d];
    IF item.kind = 4 AND item.clock IS NOT NULL THEN
      -- A tag with the reading of its clock.
      item.state := coalesce(item.state, '{0,0,0,0}'::float8[]) || item.clock;
    END IF;
    reply := reply || CASE WHEN item.fits THEN ';1' WHEN item.starts THEN ';2' ELSE ';0' END
      || coalesce(' ' || array_to_string(item.state::bigint[], ' '), '');
  END LOOP;
  RETURN reply;
END
$$;
