-- The line of a token bucket. Mirrors core/src/algorithms/line.ts. A state with a line is the bucket's five numbers, 1 (the bits of
-- its parts), born (7), tail (8), pool (9), until (10), gone (11), and two numbers for each hole.

-- Removes the holes that the front has reached, and those at the end. Applies what is left of the refunds if nobody waits.
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

-- A line as it is at `now`, in the terms of a rule. The server's own clock is believed if it stepped back, and the time until then is
-- not paid again.
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

-- A paid line without a place. A place that the line does not have was at its turn: its units are given back. With too many holes a
-- place stays, and time passes it.
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

-- Keeps a line for as long as somebody may wait in it, and 2.5 s longer, so that every process hears of its end. Then drops it.
-- `blocked` is the end of the cool-down that holds from now on. A bucket without a line stays as it is.
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
