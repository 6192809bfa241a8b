-- The turn of a tenant in a bucket that tenants share. Mirrors core/src/algorithms/turn-share.ts.
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
  -- A ticket is void as well once the tag that it was taken from is forgotten or reset.
  WHEN item.known IS NOT NULL AND item.receipt_of = pooled.clock[2] THEN item.receipt
END;
-- A tenant that has not asked for long has a credit of what is left, and no more.
item.turn_at := greatest(item.turn_at, pooled.clock[1] - greatest(0, item.units_free - item.need) * pace[3]);
item.fits := item.mode >= 4 OR item.need = 0 OR pooled.used + item.need * pooled.unit <= pace[1] OR item.turn_at <= pooled.clock[1];
