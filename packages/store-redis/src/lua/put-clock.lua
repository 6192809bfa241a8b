-- Packs a bucket with its virtual clock, and lets it last as long as the clock. A line is packed already.
--@ takes item rule line cooldown
--@ gives value fresh
local pooled, owner = rule, line or item
local at, debt, unit, rate, reading, began = owner.at, owner.debt, owner.unit, owner.rate, item.reading, item.began
--@ include "pool-pace.lua"
-- The reading is that of this instant, so the debt must be, too. A line was paid already.
if at < now and not line then at, debt, unit, rate = now, debt > 0 and item.used or 0, rule.unit, rule.rate end
local ends = now + ceil(debt / rate) + pooled.kept
if line then value = value .. pack('>dddB', reading, began, ends, END.CLOCK)
elseif cooldown > 0 then value = pack('>ddddddddB', at, debt, unit, rate, cooldown, reading, began, ends, END.CLOCK)
else value = pack('>dddddddB', at, debt, unit, rate, reading, began, ends, END.CLOCK) end
fresh = max(fresh, ends)
