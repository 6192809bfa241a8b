-- Changes a bucket. Its line, if it has one, is paid.
line := item.line;
room := item.capacity * item.unit;
IF item.mode = 8 AND line IS NOT NULL THEN
  -- Lets a capacity start at once.
  line[1] := 0;
  line[3] := greatest(0, line[3] - room);
  state := halt.sweep_line_v3(line, room);
ELSIF item.mode = 8 THEN
  IF state IS NOT NULL THEN
    state[1] := 0;
    state[3] := 0;
  END IF;
ELSIF item.mode = 7 OR item.placed AND item.cost < 0 AND (line IS NOT NULL OR state IS NULL) THEN
  -- The line is paid, and the place removed from it.
  state := coalesce(line, state);
ELSE
  units := item.used;
  -- Units that may be used later are charged as if they were used at the end of their time.
  IF item.kept_for > 0 AND NOT item.joins THEN
    units := greatest(units, item.kept_for * item.rate);
  END IF;
  units := units + item.cost * item.unit;
  IF line IS NOT NULL AND item.cost < 0 AND line[3] > room THEN
    -- A refund brings those who wait forward evenly: at most a capacity, because time has paid the rest already.
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
