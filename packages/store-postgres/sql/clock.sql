-- The virtual clock of a bucket that tenants share. Mirrors core/src/algorithms/virtual-clock.ts. A state with a clock has 2 in the
-- bits of its parts, and at its end the clock's reading, its epoch, and the instant from which the state equals a fresh one.

-- The numbers of the clock of a rule: the debt up to which everybody passes, the debt of a band above that, the virtual units of one
-- unit of cost, the highest speed, and how long a tag is kept.
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

-- How far a clock runs in `elapsed` microseconds, from a debt on that nobody adds to. With a distance instead: the microseconds for it.
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

-- The clock in a stored state, at `now`: its reading and its epoch. NULL if it is over. If the terms of the bucket have changed, the
-- clock goes on by the numbers of the rule.
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

-- A state of `now` with its clock, as it is stored.
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
