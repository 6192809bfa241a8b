-- Moves the tag of a tenant on, or back.
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
  -- With a ticket the units were counted when it was given.
  IF item.receipt >= 0 AND item.receipt_of = item.clock[2] AND item.known IS NOT NULL THEN
    tag := item.known;
  ELSE
    tag := greatest(item.known, item.clock[1] - greatest(0, item.units_free - item.cost) * pace[3]) + units;
  END IF;
  IF pooled.used + item.cost * pooled.unit <= pace[1] THEN
    tag := least(tag, item.clock[1]);
  END IF;
ELSIF NOT item.fits AND start IS NOT NULL AND item.mode = 0 AND item.max_wait > 0 AND item.receipt = -2 THEN
  -- Promises the tenant its next turn: the tag before these units is its ticket.
  tag := item.turn_at + floor(least(item.need, pooled.capacity) * pace[3] / item.weight);
END IF;
CONTINUE WHEN tag IS NULL;
item.state := ARRAY[0, ceil((now + pace[5]) / 1e6) * 1e6, least(tag, item.clock[1] + 281474976710656), item.clock[2]];
items[d] := item;
PERFORM halt.keep_v3(item.key, item.state, item.state[2], now);
