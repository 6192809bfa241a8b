-- The numbers of the virtual clock of a rule.
--@ takes capacity unit rate
--@ gives room per_unit plenty band top kept
room = capacity * unit
local paid = ceil(room / rate)
per_unit = max(1, floor(min(70368744177664, 262144 * paid) / capacity))
plenty, band = room - floor(room / 2), ceil(max(room / 2, 10 * unit, 20000 * rate) / 10)
top, kept = max(1, floor(16 * per_unit * capacity / paid)), max(16 * paid, 60000000)
