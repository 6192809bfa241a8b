// Printed by tools/print-sql.mjs from the files in sql/: change those.

/** schema.sql, compact. */
export const SCHEMA: string = String.raw`CREATE SCHEMA IF NOT EXISTS halt;
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
CREATE UNLOGGED TABLE IF NOT EXISTS halt.instances (
prefix text COLLATE "C",
id text COLLATE "C",
seen timestamptz NOT NULL,
PRIMARY KEY (prefix, id)
);
CREATE TABLE IF NOT EXISTS halt.documents (
name text COLLATE "C" PRIMARY KEY,
version text COLLATE "C" NOT NULL,
text text NOT NULL
);
DO $$
BEGIN
CREATE TYPE halt.item_v3 AS (
key text, mode int, cost float8, charged_to float8, edges float8[],
kind int, cooldown float8, capacity float8, unit float8, rate float8, span float8, slice float8, parts float8,
own_cooldown float8, own_capacity float8,
max_wait float8, least float8, kept_for float8, back float8, need float8, others float8,
receipt float8, receipt_of float8,
pool_at int, weight float8,
state float8[], line float8[], used float8, fits boolean, starts boolean, placed boolean, joins boolean, units_left float8,
clock float8[], known float8, turn_at float8, units_free float8, for_turn boolean
);
EXCEPTION WHEN duplicate_object THEN NULL;
END
$$;
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
CREATE OR REPLACE FUNCTION halt.period_end_v3(edges float8[], now float8) RETURNS float8
LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
WHEN now < edges[1] THEN edges[1] - floor((edges[1] - now - 1) / (edges[2] - edges[1])) * (edges[2] - edges[1])
WHEN now < edges[2] THEN edges[2]
WHEN now < edges[3] THEN edges[3]
ELSE edges[3] + (floor((now - edges[3]) / (edges[3] - edges[2])) + 1) * (edges[3] - edges[2])
END
$$;
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
WHILE cardinality(list) > 2 * parts + 3 LOOP
list := list[1:1] || ARRAY[list[4], list[5] + list[3]] || list[6:];
END LOOP;
RETURN list;
END
$$;
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
CREATE OR REPLACE FUNCTION halt.sweep_line_v3(state float8[], room float8) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
unit float8 := state[4];
first int := 12;
size int := cardinality(state);
BEGIN
WHILE first < size AND state[3] - (state[8] - state[first] + state[first + 1]) * unit <= room LOOP
state[11] := state[11] - state[first + 1];
state[3] := state[3] - state[first + 1] * unit;
first := first + 2;
END LOOP;
WHILE first < size AND state[size - 1] = state[8] LOOP
state[8] := state[8] - state[size];
state[11] := state[11] - state[size];
state[3] := state[3] - state[size] * unit;
size := size - 2;
END LOOP;
IF state[3] <= room THEN
state[3] := greatest(0, state[3] - state[9]);
state[9] := 0;
END IF;
IF size - first + 1 = cardinality(state) - 11 THEN
RETURN state;
END IF;
RETURN state[1:11] || state[first:size];
END
$$;
CREATE OR REPLACE FUNCTION halt.pay_line_v3(
state float8[], now float8, capacity float8, unit float8, rate float8, own_clock boolean
) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
old_unit float8 := state[4];
room float8 := capacity * old_unit;
elapsed float8 := greatest(now - greatest(state[2], least(state[1], now)), 0);
extra float8 := least(state[9], greatest(state[5], floor(state[9] / 1e6)) * elapsed);
whole float8;
BEGIN
IF now > state[2] OR own_clock THEN
state[2] := now;
END IF;
state[3] := state[3] - state[5] * elapsed - extra;
state[9] := state[9] - extra;
IF state[3] <= room THEN
state[3] := greatest(0, state[3] - state[9]);
state[9] := 0;
END IF;
state := halt.sweep_line_v3(state, room);
IF old_unit <> unit THEN
whole := floor(state[3] / old_unit);
state[3] := least(whole * unit + ceil((state[3] - whole * old_unit) / old_unit * unit), 9007199254740991);
whole := floor(state[9] / old_unit);
state[9] := least(whole * unit + floor((state[9] - whole * old_unit) / old_unit * unit), 9007199254740991);
END IF;
state[4] := unit;
state[5] := rate;
RETURN state;
END
$$;
CREATE OR REPLACE FUNCTION halt.leave_line_v3(
state float8[], units float8, place float8, born float8, room float8
) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
unit float8 := state[4];
size int := cardinality(state);
at int := 12;
before float8 := 0;
touches boolean;
there boolean := state[7] = born AND place <= state[8] AND place >= units;
BEGIN
IF there AND place = state[8] THEN
state[8] := state[8] - units;
state[3] := state[3] - units * unit;
ELSIF there AND state[3] - (state[8] - place + units) * unit > room THEN
WHILE at < size AND state[at] < place LOOP
at := at + 2;
END LOOP;
IF at > 12 AND state[at - 2] = place - units THEN
before := state[at - 1];
END IF;
touches := at < size AND state[at] - state[at + 1] = place;
IF before > 0 OR touches OR size - 11 < 256 THEN
state[11] := state[11] + units;
state := state[1:CASE WHEN before > 0 THEN at - 3 ELSE at - 1 END]
|| CASE WHEN touches THEN ARRAY[state[at], state[at + 1] + (units + before)] ELSE ARRAY[place, units + before] END
|| state[CASE WHEN touches THEN at + 2 ELSE at END:];
END IF;
ELSE
state[3] := state[3] - units * unit;
END IF;
RETURN halt.sweep_line_v3(state, room);
END
$$;
CREATE OR REPLACE FUNCTION halt.keep_line_v3(state float8[], now float8, room float8, blocked float8) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
IF state[6] IS NULL THEN
RETURN state;
END IF;
IF state[3] <= room AND now > state[10] AND now >= state[1] THEN
RETURN state[1:5];
END IF;
IF state[3] > room OR now < blocked THEN
state[10] := greatest(
state[10],
least(greatest(now, blocked) + greatest(0, ceil((state[3] - room) / state[5])) + 2500000, 9007199254740991)
);
END IF;
RETURN state;
END
$$;
CREATE OR REPLACE FUNCTION halt.pace_v3(capacity float8, unit float8, rate float8) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
room float8 := capacity * unit;
paid float8 := ceil(room / rate);
per_unit float8 := greatest(1, floor(least(70368744177664, 262144 * paid) / capacity));
BEGIN
RETURN ARRAY[
room - floor(room / 2), ceil(greatest(room / 2, 10 * unit, 20000 * rate) / 10), per_unit,
greatest(1, floor(16 * per_unit * capacity / paid)), greatest(16 * paid, 60000000)
];
END
$$;
CREATE OR REPLACE FUNCTION halt.run_clock_v3(
debt float8, elapsed float8, distance float8, rate float8, pace float8[]
) RETURNS float8
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
owed float8 := debt;
total float8 := 0;
spent float8 := 0;
band int := CASE WHEN debt <= pace[1] THEN 0 ELSE least(10, 1 + floor((debt - pace[1] - 1) / pace[2])) END;
speed float8;
steps float8;
BEGIN
FOR at IN REVERSE band .. 1 LOOP
speed := greatest(1, floor(pace[4] / 4::float8 ^ (at - 1)));
steps := greatest(0, ceil((owed - pace[1] - (at - 1) * pace[2]) / rate));
IF distance IS NOT NULL AND steps * speed >= distance - total THEN
RETURN spent + ceil((distance - total) / speed);
END IF;
steps := least(steps, coalesce(elapsed - spent, steps));
total := total + steps * speed;
spent := spent + steps;
owed := owed - steps * rate;
END LOOP;
IF distance IS NOT NULL THEN
RETURN spent + ceil((distance - total) / pace[4]);
END IF;
RETURN total + (elapsed - spent) * pace[4];
END
$$;
CREATE OR REPLACE FUNCTION halt.clock_v3(state float8[], now float8, unit float8, rate float8, pace float8[]) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
size int := cardinality(state);
elapsed float8 := greatest(0, now - state[2]);
reading float8;
BEGIN
IF state[size] <= now OR elapsed > 4503599627370496 / pace[4] THEN
RETURN NULL;
END IF;
reading := state[size - 2] + halt.run_clock_v3(halt.debt_v3(state, state[2], unit, rate), elapsed, NULL, rate, pace);
RETURN CASE WHEN reading < 4503599627370496 THEN ARRAY[reading, state[size - 1]] END;
END
$$;
CREATE OR REPLACE FUNCTION halt.with_clock_v3(state float8[], clock float8[], now float8, pace float8[]) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
stored float8[] := state;
BEGIN
stored[2] := greatest(state[2], now);
stored[6] := coalesce(state[6], 0) + 2;
RETURN stored || clock || (now + ceil(stored[3] / stored[5]) + pace[5]);
END
$$;
CREATE OR REPLACE FUNCTION halt.sweep_v3(p_stretch bigint, p_pages int) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
size bigint := pg_relation_size('halt.counters') / current_setting('block_size')::int;
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
CREATE OR REPLACE FUNCTION halt.pages_v3() RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT pg_relation_size('halt.counters') / current_setting('block_size')::int
$$;
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
IF pg_advisory_xact_lock(hashtextextended(p_key, 'halt.counters'::regclass::oid::bigint)) IS NULL
OR set_config('synchronous_commit', 'off', true) IS NULL THEN END IF;
now := coalesce(p_now, round(date_part('epoch', clock_timestamp()) * 1e6));
IF p_sweep >= 0 THEN
PERFORM halt.sweep_v3(p_sweep, 32);
END IF;
UPDATE halt.counters c SET
state = ARRAY[0, now, greatest(c.state[3] - (now - c.state[2]) * p_rate, 0) + p_charge, p_unit, p_rate],
fresh_at = now + ceil((greatest(c.state[3] - (now - c.state[2]) * p_rate, 0) + p_charge) / p_rate)
WHERE c.key = p_key AND c.state[4] = p_unit AND c.state[5] = p_rate AND c.state[2] <= now AND c.state[1] <= now
AND greatest(c.state[3] - (now - c.state[2]) * p_rate, 0) + p_charge <= p_room
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
penalty_key text;
p int;
score float8[];
penalized boolean := false;
severity float8;
points float8;
lasting float8;
forgotten float8;
level int;
once_key text;
once_ends float8;
repeated boolean := false;
keeps_key boolean := count = 0;
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
pace float8[];
tag float8;
factor float8;
fresh float8;
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
FOR d IN 1 .. count LOOP
item := NULL;
item.key := keys[n[i]::int];
item.mode := n[i + 1];
item.cost := n[i + 2];
item.charged_to := n[i + 3];
item.kind := n[i + 5];
item.own_cooldown := n[i + 6];
item.own_capacity := n[i + 7];
marks := n[i + 4];
rule := i + 6;
i := i + 13;
IF marks & 1 > 0 THEN
IF penalized THEN
rule := i;
END IF;
i := i + 7;
END IF;
item.cooldown := n[rule];
item.capacity := n[rule + 1];
item.unit := n[rule + 2];
item.rate := n[rule + 3];
item.span := n[rule + 4];
item.slice := n[rule + 5];
item.parts := n[rule + 6];
IF marks & 2 > 0 THEN
item.edges := n[i:i + 2];
i := i + 3;
END IF;
item.need := item.cost;
item.others := 0;
item.kept_for := 0;
item.back := 0;
item.placed := false;
IF marks & 4 > 0 THEN
has_terms := true;
item.max_wait := n[i];
item.least := nullif(n[i + 1], -1);
item.others := greatest(ceil(n[i + 2] * item.capacity - 1e-6), 0);
item.kept_for := n[i + 3];
item.receipt := nullif(n[i + 4], -1);
item.receipt_of := n[i + 5];
item.placed := item.kind = 0 AND item.receipt IS NOT NULL;
item.need := coalesce(item.least, item.cost) + item.others;
IF n[i + 6] > 0 THEN
item.pool_at := d - 1;
item.weight := n[i + 6];
END IF;
i := i + 7;
END IF;
SELECT c.state INTO state FROM halt.counters c WHERE c.key = item.key;
IF item.kind = 0 AND (state[6] = 2 AND cardinality(state) = 9 OR state[6] = 3 AND cardinality(state) > 9) THEN
pace := halt.pace_v3(item.capacity, item.unit, item.rate);
item.clock := halt.clock_v3(state, now, item.unit, item.rate, pace);
state := state[1:5] || CASE state[6] WHEN 3 THEN 1::float8 || state[7:cardinality(state) - 3] ELSE '{}'::float8[] END;
END IF;
IF item.kind <= 1 AND cardinality(state) > 5 THEN
IF (CASE item.kind
WHEN 1 THEN cardinality(state) % 2 = 1
ELSE state[6] <> 1 OR cardinality(state) < 11 OR cardinality(state) % 2 = 0
END) THEN
RAISE EXCEPTION USING ERRCODE = 'ZH001', MESSAGE = 'a newer version of Halt wrote the counter ' || item.key;
END IF;
IF item.kind = 1 THEN
IF item.receipt > 0 THEN
item.back := halt.still_held_v3(state, now, item.receipt, item.receipt_of);
item.need := item.need - item.back;
END IF;
ELSIF halt.fresh_at_v3(state, 0) <= now THEN
state := NULL;
ELSE
IF item.mode = 4 THEN
item.unit := state[4];
item.rate := state[5];
END IF;
item.line := halt.pay_line_v3(state, now, item.capacity, item.unit, item.rate, own_clock);
END IF;
END IF;
IF item.mode = 4 AND item.kind = 0 AND item.line IS NULL AND greatest(now - state[2], 0) * state[5] < state[3] THEN
item.unit := state[4];
item.rate := state[5];
END IF;
item.state := state;
IF state IS NULL OR item.kind = 4 THEN
item.used := 0;
ELSIF item.line IS NOT NULL THEN
item.used := item.line[3];
ELSIF item.kind = 0 THEN
item.used := halt.debt_v3(state, now, item.unit, item.rate);
ELSE
item.used := halt.counted_v3(state, now, item.kind);
END IF;
item.fits := repeated AND item.kind <> 3 OR item.mode >= 4;
IF item.line IS NOT NULL AND item.placed AND item.mode = 4 AND item.cost < 0 THEN
item.line := halt.leave_line_v3(item.line, -item.cost, item.receipt, item.receipt_of, item.capacity * item.unit);
END IF;
IF item.pool_at > 0 AND NOT (repeated AND item.kind <> 3) THEN
IF item.kind = 4 THEN
pooled := items[item.pool_at];
pace := halt.pace_v3(pooled.capacity, pooled.unit, pooled.rate);
IF pooled.clock IS NULL THEN
pooled.clock := ARRAY[70368744177664, now];
items[item.pool_at] := pooled;
END IF;
item.clock := pooled.clock;
item.units_free := floor((pooled.capacity * pooled.unit - pooled.used) / pooled.unit);
item.known := CASE WHEN state[4] = pooled.clock[2] AND now < state[2] THEN state[3] END;
item.turn_at := CASE
WHEN item.receipt >= 0 IS NOT TRUE THEN item.known
WHEN item.known IS NOT NULL AND item.receipt_of = pooled.clock[2] THEN item.receipt
END;
item.turn_at := greatest(item.turn_at, pooled.clock[1] - greatest(0, item.units_free - item.need) * pace[3]);
item.fits := item.mode >= 4 OR item.need = 0 OR pooled.used + item.need * pooled.unit <= pace[1] OR item.turn_at <= pooled.clock[1];
ELSIF NOT item.fits THEN
pooled := items[item.pool_at];
factor := least(4 * item.weight, greatest(4, floor(pooled.capacity / 5)));
item.fits := item.need = 0 OR pooled.used = 0 OR item.used + item.need <= 1
OR item.used + item.need <= factor * (pooled.capacity - pooled.used - item.need);
END IF;
ELSIF item.pool_at IS NULL AND NOT item.fits AND (state IS NULL OR now >= state[1]) THEN
item.fits := item.placed OR CASE item.kind
WHEN 0 THEN item.used + item.need * item.unit <= item.capacity * item.unit
ELSE item.back > 0 AND item.need - item.others <= 0 OR item.used + item.need <= item.capacity
END;
END IF;
IF NOT item.fits AND item.mode <> 1 THEN
allowed := false;
IF item.mode <> 2 THEN
refused := true;
END IF;
END IF;
IF item.pool_at > 0 THEN
IF item.mode = 1 AND item.fits <> (items[item.pool_at]).fits THEN
item.fits := false;
items[item.pool_at].fits := false;
END IF;
items[item.pool_at].for_turn := NOT item.fits;
END IF;
item.starts := false;
item.joins := false;
items[d] := item;
END LOOP;
FOR d IN 1 .. count LOOP
item := items[d];
IF item.fits AND (item.mode = 3 OR item.mode <> 2 AND item.cost <> 0) THEN
keeps_key := true;
END IF;
END LOOP;
IF has_terms THEN
IF refused THEN
start := 0;
joins := once_key IS NULL;
joining := 0;
FOR d IN 1 .. count LOOP
item := items[d];
CONTINUE WHEN item.mode = 1 OR item.placed OR item.pool_at IS NOT NULL AND item.fits;
IF joining > 0 OR item.mode <> 0 OR item.kind <> 0 OR item.others > 0 THEN
joins := false;
END IF;
joining := d;
END LOOP;
IF NOT joins THEN
joining := 0;
END IF;
exact := true;
FOR d IN 1 .. count LOOP
item := items[d];
CONTINUE WHEN item.fits OR item.mode = 1 OR item.for_turn;
IF coalesce(item.max_wait, 0) = 0 THEN
start := NULL;
EXIT;
END IF;
blocked := coalesce(item.state[1] - now, 0);
own := 'Infinity';
IF item.pool_at > 0 THEN
pooled := items[item.pool_at];
own := 0;
IF item.kind = 4 THEN
IF item.turn_at > item.clock[1] THEN
pace := halt.pace_v3(pooled.capacity, pooled.unit, pooled.rate);
own := least(
halt.run_clock_v3(pooled.used, NULL, item.turn_at - item.clock[1], pooled.rate, pace),
greatest(0, ceil((pooled.used + item.need * pooled.unit - pace[1]) / pooled.rate)),
greatest(0, coalesce(item.state[2], 0) - now)
);
END IF;
ELSE
factor := least(4 * item.weight, greatest(4, floor(pooled.capacity / 5)));
SELECT coalesce(min(ends.at), now) - now INTO own
FROM (
SELECT item.state[own_end] AS at FROM generate_series(2, coalesce(cardinality(item.state), 0) - 1, 2) own_end
UNION
SELECT pooled.state[some_end] FROM generate_series(2, coalesce(cardinality(pooled.state), 0) - 1, 2) some_end
) ends
CROSS JOIN LATERAL (
SELECT halt.counted_v3(item.state, ends.at, 3) + item.need AS mine,
halt.counted_v3(pooled.state, ends.at, 3) AS taken
) then_
WHERE ends.at > now AND (then_.taken = 0 OR then_.mine <= 1 OR then_.mine <= factor * (pooled.capacity - then_.taken - item.need));
END IF;
ELSIF item.kind = 1 THEN
IF item.used + item.need <= item.capacity THEN
own := 0;
ELSIF item.need <= item.capacity THEN
own := item.state[2] - now;
END IF;
IF cardinality(item.state) > 4 AND now < item.state[2] THEN
excess := item.used + item.need - item.capacity;
FOR at IN 5 .. cardinality(item.state) - 1 BY 2 LOOP
IF excess > 0 AND now < item.state[at] AND item.state[at] < item.state[2] THEN
excess := excess - item.state[at + 1];
IF excess <= 0 THEN
own := item.state[at] - now;
END IF;
END IF;
END LOOP;
END IF;
ELSIF item.need <= item.capacity THEN
own := 0;
IF item.kind = 0 AND (d = joining OR item.line IS NOT NULL) THEN
pool := coalesce(item.line[9], 0);
excess := item.used + (item.need - coalesce(item.line[11], 0)) * item.unit - item.capacity * item.unit;
IF excess > 0 THEN
own := CASE pool
WHEN 0 THEN ceil(excess / item.rate)
ELSE greatest(
ceil(excess / (item.rate + greatest(item.rate, floor(pool / 1e6)))),
ceil((excess - pool) / item.rate)
)
END;
END IF;
own := own + greatest(blocked, 0);
ELSIF item.kind = 0 THEN
excess := item.used - (item.capacity - item.need) * item.unit;
IF excess > 0 THEN
own := ceil(excess / item.rate);
IF item.state[4] <> item.unit OR item.state[5] <> item.rate THEN
own := least(own, item.state[2] + ceil(item.state[3] / item.state[5]) - now);
END IF;
END IF;
ELSE
excess := item.used + item.need - item.capacity;
FOR at IN 2 .. coalesce(cardinality(item.state), 0) - 1 BY 2 LOOP
IF excess > 0 AND now < item.state[at] THEN
excess := excess - item.state[at + 1];
own := item.state[at] - now;
END IF;
END LOOP;
END IF;
END IF;
IF own > item.max_wait AND own < 'Infinity' AND item.kind = 3 THEN
own := item.max_wait;
END IF;
own := greatest(own, blocked);
IF own > item.max_wait THEN
start := NULL;
EXIT;
END IF;
start := greatest(start, own);
IF d <> joining OR own * item.rate + (item.capacity + item.cost) * item.unit > 9007199254740991 THEN
exact := false;
END IF;
END LOOP;
joins := joining > 0 AND exact;
END IF;
IF start IS NOT NULL THEN
refused := false;
allowed := joins;
IF joins THEN
FOR d IN 1 .. count LOOP
item := items[d];
CONTINUE WHEN item.mode = 1;
items[d].fits := true;
items[d].joins := d = joining;
END LOOP;
END IF;
END IF;
IF allowed THEN
FOR d IN 1 .. count LOOP
item := items[d];
units := item.cost;
IF item.least IS NOT NULL THEN
has_least := true;
units := item.least;
IF start IS NULL THEN
units := CASE
WHEN item.kind = 4 THEN 'Infinity'
WHEN item.kind = 0 THEN floor((item.capacity * item.unit - item.used) / item.unit)
ELSE item.capacity - item.used
END;
IF item.kind = 3 AND item.pool_at > 0 THEN
pooled := items[item.pool_at];
units := greatest(0, pooled.capacity - pooled.used);
IF pooled.used > 0 THEN
factor := least(4 * item.weight, greatest(4, floor(pooled.capacity / 5)));
units := least(units, greatest(1 - item.used, floor((factor * units - item.used) / (1 + factor))));
END IF;
END IF;
units := least(item.cost, greatest(item.back, greatest(units, 0) + item.back - item.others));
IF item.pool_at > 0 THEN
units := least(units, items[item.pool_at].units_left);
items[item.pool_at].units_left := units;
END IF;
END IF;
END IF;
items[d].units_left := units;
IF item.mode <> 1 AND units < item.cost THEN
most := least(most, units);
END IF;
END LOOP;
FOR d IN 1 .. count LOOP
item := items[d];
IF item.fits AND item.least IS NOT NULL THEN
items[d].cost := greatest(item.least, least(item.units_left, most));
END IF;
END LOOP;
END IF;
END IF;
FOR d IN 1 .. count LOOP
item := items[d];
IF item.kind = 4 THEN
CONTINUE WHEN item.clock IS NULL OR repeated;
pooled := items[item.pool_at];
pace := halt.pace_v3(pooled.capacity, pooled.unit, pooled.rate);
units := floor(least(abs(item.cost), pooled.capacity) * pace[3] / item.weight);
tag := NULL;
IF item.fits AND allowed AND item.cost <> 0 AND item.mode = 4 THEN
IF item.known IS NOT NULL OR item.cost > 0 THEN
tag := coalesce(item.known, item.clock[1]) + CASE WHEN item.cost < 0 THEN -units ELSE units END;
END IF;
ELSIF item.fits AND allowed AND item.cost <> 0 AND item.mode <= 1 THEN
IF item.receipt >= 0 AND item.receipt_of = item.clock[2] AND item.known IS NOT NULL THEN
tag := item.known;
ELSE
tag := greatest(item.known, item.clock[1] - greatest(0, item.units_free - item.cost) * pace[3]) + units;
END IF;
IF pooled.used + item.cost * pooled.unit <= pace[1] THEN
tag := least(tag, item.clock[1]);
END IF;
ELSIF NOT item.fits AND start IS NOT NULL AND item.mode = 0 AND item.max_wait > 0 AND item.receipt = -2 THEN
tag := item.turn_at + floor(least(item.need, pooled.capacity) * pace[3] / item.weight);
END IF;
CONTINUE WHEN tag IS NULL;
item.state := ARRAY[0, ceil((now + pace[5]) / 1e6) * 1e6, least(tag, item.clock[1] + 281474976710656), item.clock[2]];
items[d] := item;
PERFORM halt.keep_v3(item.key, item.state, item.state[2], now);
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
IF item.kind = 0 THEN
state := coalesce(item.line, state);
IF item.cooldown = 0 AND state[6] IS NOT NULL THEN
state[10] := now + 2500000;
END IF;
state := halt.keep_line_v3(state, now, item.capacity * item.unit, now + item.cooldown);
END IF;
state[1] := CASE WHEN item.cooldown = 0 THEN 0 ELSE now + item.cooldown END;
ELSE
IF item.kind = 0 AND item.cost < 0 AND item.charged_to > 0 THEN
item.cost := least(0, item.cost + ceil(greatest(0, now - item.charged_to) * item.rate / item.unit));
END IF;
CONTINUE WHEN NOT allowed OR item.mode = 3 OR item.placed AND item.mode < 4
OR item.cost = 0 AND item.back = 0 AND item.mode < 7;
IF item.kind = 0 THEN
line := item.line;
room := item.capacity * item.unit;
IF item.mode = 8 AND line IS NOT NULL THEN
line[1] := 0;
line[3] := greatest(0, line[3] - room);
state := halt.sweep_line_v3(line, room);
ELSIF item.mode = 8 THEN
IF state IS NOT NULL THEN
state[1] := 0;
state[3] := 0;
END IF;
ELSIF item.mode = 7 OR item.placed AND item.cost < 0 AND (line IS NOT NULL OR state IS NULL) THEN
state := coalesce(line, state);
ELSE
units := item.used;
IF item.kept_for > 0 AND NOT item.joins THEN
units := greatest(units, item.kept_for * item.rate);
END IF;
units := units + item.cost * item.unit;
IF line IS NOT NULL AND item.cost < 0 AND line[3] > room THEN
line[9] := least(line[9] + least(-item.cost * item.unit, room), 9007199254740991);
units := line[3];
END IF;
units := least(greatest(units, 0), 9007199254740991);
state := coalesce(line, ARRAY[coalesce(state[1], 0), greatest(state[2], now), units, item.unit, item.rate]);
IF item.cost > 0 AND (item.joins OR item.placed) THEN
IF line IS NOT NULL THEN
state[8] := state[8] + item.cost;
ELSIF units > room OR now < state[1] THEN
state := state || ARRAY[1, now, item.cost, 0, 0, 0];
END IF;
END IF;
state[3] := units;
END IF;
state := halt.keep_line_v3(state, now, room, state[1]);
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
IF item.clock IS NOT NULL AND (fresh > now OR item.clock[2] < now) THEN
IF cardinality(state) = 5 AND state[2] < now THEN
state := ARRAY[state[1], now, CASE WHEN state[3] > 0 THEN item.used ELSE 0 END, item.unit, item.rate];
END IF;
state := halt.with_clock_v3(state, item.clock, now, halt.pace_v3(item.capacity, item.unit, item.rate));
fresh := greatest(fresh, state[cardinality(state)]);
END IF;
PERFORM halt.keep_v3(item.key, state, fresh, now);
END LOOP;
IF penalty_key IS NOT NULL THEN
IF n[p + 1] = 2 THEN
severity := n[p + 2];
ELSIF n[p + 1] = 0 AND refused AND (score IS NULL OR score[4] = 0 OR now >= score[3] + n[p + 7]) THEN
severity := n[p + 6];
END IF;
IF severity IS NOT NULL OR n[p + 1] = 3 THEN
score := coalesce(score, ARRAY[0, 0, CASE n[p + 1] WHEN 3 THEN now ELSE 0 END, 0, 0, 0]);
IF severity IS NOT NULL THEN
points := greatest(score[2] - floor(greatest(now - score[3], 0) * n[p + 5]), 0) + severity;
score[2] := points;
score[3] := greatest(score[3], now);
score[4] := score[4] + 1;
IF now >= score[1] AND floor(points / 1e5 + 0.5) >= floor(n[p + 3] / 1e5 + 0.5) THEN
lasting := n[p + 4];
level := 0;
WHILE level < score[5] AND lasting < n[p + 9] LOOP
lasting := lasting * n[p + 8];
level := level + 1;
END LOOP;
score[1] := now + least(floor(lasting), n[p + 9]);
score[5] := score[5] + 1;
END IF;
ELSE
score[1] := greatest(score[1], now + n[p + 2]);
END IF;
forgotten := CASE WHEN n[p + 5] > 0 THEN least(ceil(score[2] / n[p + 5]), 31622400000000) ELSE 31622400000000 END;
score[6] := greatest(
score[1],
score[3] + greatest(
CASE WHEN score[2] > 0 THEN forgotten ELSE 0 END,
CASE WHEN score[4] > 0 THEN n[p + 7] ELSE 0 END
)
);
PERFORM halt.keep_v3(penalty_key, score, score[6], now);
END IF;
END IF;
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
item.state := coalesce(item.state, '{0,0,0,0}'::float8[]) || item.clock;
END IF;
reply := reply || CASE WHEN item.fits THEN ';1' WHEN item.starts THEN ';2' ELSE ';0' END
|| coalesce(' ' || array_to_string(item.state::bigint[], ' '), '');
END LOOP;
RETURN reply;
END
$$;
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
FOREACH key IN ARRAY keys LOOP
IF pg_advisory_xact_lock(hashtextextended(key, 'halt.counters'::regclass::oid::bigint)) IS NULL THEN END IF;
END LOOP;
now := coalesce(p_now, round(date_part('epoch', clock_timestamp()) * 1e6));
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
`
