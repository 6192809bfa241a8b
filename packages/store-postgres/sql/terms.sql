-- Finds when a group may start that does not pass now, and the units that its demands get. Mirrors core/src/store/decide.ts.
-- `start` stays NULL if the group has nothing to wait for; `joins` tells whether it gets a place in line.
IF refused THEN
  -- A place in line is charged now if one bucket is all that the group still needs. Otherwise the caller asks again.
  -- A place would take what the demand leaves to more important ones, which would then stand behind it. With an idempotency key the
  -- place would be paid: whoever repeats the key would pass, and could give the place back.
  start := 0;
  joins := once_key IS NULL;
  joining := 0;
  FOR d IN 1 .. count LOOP
    item := items[d];
    -- A tenant whose turn has come stands in the line of its pool.
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
      --@ include "share-wait.sql"
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
        -- The first microsecond at which time and refunds have paid enough, from the end of a cool-down on.
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
          -- If the debt is in other terms than the rule's, the bucket may be full before that.
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
    -- A permit may be given back at any time.
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
          -- A tenant gets no more permits than its share of those that are free.
          pooled := items[item.pool_at];
          units := greatest(0, pooled.capacity - pooled.used);
          IF pooled.used > 0 THEN
            factor := least(4 * item.weight, greatest(4, floor(pooled.capacity / 5)));
            units := least(units, greatest(1 - item.used, floor((factor * units - item.used) / (1 + factor))));
          END IF;
        END IF;
        units := least(item.cost, greatest(item.back, greatest(units, 0) + item.back - item.others));
        IF item.pool_at > 0 THEN
          -- A pool that only reports is charged as the share.
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
