CREATE SCHEMA IF NOT EXISTS halt;

-- One row a counter. `state` is the tuple of core/src/algorithms: the end of the cool-down, then the algorithm's numbers. From
-- `fresh_at` on (microseconds since 1970) the counter equals a fresh one, and a sweep removes it. No column that a check writes
-- has an index, so an update is heap-only, and the room left in each page takes it.
CREATE TABLE IF NOT EXISTS halt.counters (
  key text COLLATE "C" PRIMARY KEY,
  state float8[] NOT NULL,
  fresh_at float8 NOT NULL
) WITH (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_insert_scale_factor = 0.5,
  autovacuum_analyze_scale_factor = 1
);

-- One row a process that shares the counters, written every few seconds.
CREATE UNLOGGED TABLE IF NOT EXISTS halt.instances (
  prefix text COLLATE "C",
  id text COLLATE "C",
  seen timestamptz NOT NULL,
  PRIMARY KEY (prefix, id)
);

-- Small texts that all processes share, such as the entries of Control.
CREATE TABLE IF NOT EXISTS halt.documents (
  name text COLLATE "C" PRIMARY KEY,
  version text COLLATE "C" NOT NULL,
  text text NOT NULL
);

-- One demand while a group is decided.
DO $$
BEGIN
  CREATE TYPE halt.item_v3 AS (
    key text, mode int, cost float8, charged_to float8, edges float8[],
    -- the rule in force
    kind int, cooldown float8, capacity float8, unit float8, rate float8, span float8, slice float8, parts float8,
    -- the same numbers of the rule without a penalty
    own_cooldown float8, own_capacity float8,
    -- terms
    max_wait float8, least float8, kept_for float8, back float8, need float8, others float8,
    -- what the caller has in the counter: a place in line and its line, the end and the number of units, a ticket and its clock
    receipt float8, receipt_of float8,
    -- the share of a pool: the place of the pool in the group, and the weight
    pool_at int, weight float8,
    -- the counter, and what becomes of it
    state float8[], line float8[], used float8, fits boolean, starts boolean, placed boolean, joins boolean, units_left float8,
    -- the clock of a pool; of a share the tag, the tag from which units are counted, and the units that the pool has free
    clock float8[], known float8, turn_at float8, units_free float8, for_turn boolean
  );
EXCEPTION WHEN duplicate_object THEN NULL;
END
$$;
