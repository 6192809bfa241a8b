-- Reads the demands of a run of groups into the records of its items, and sets `at` behind them. A run is plain if all its demands
-- charge buckets and windows.
--@ takes groups rules flags count items keys penalty_mode
--@ gives at plain
plain = #keys > count + 1 and flags < 2 and count > 0 and (not penalty_mode or penalty_mode <= PENALTY.READ)
for d = 1, count do
  local item, rule, cost, mode, terms, shared = items[d], rules[groups[at]], groups[at + 1], groups[at + 2], false, false
  at = at + 3
  if not item then
    -- perf: a record without the fields of terms is made in two thirds of the time.
    item = flags < 4 and item{ began = false } or item{ others = false }
    items[d] = item
  end
  item.reduces = false
  if mode >= WITH.PENALTY then
    if mode >= WITH.TERMS then
      mode, terms = mode - WITH.TERMS, terms{
        wait = groups[at], least = groups[at + 1], headroom = groups[at + 2], keep = groups[at + 3],
        receipt = groups[at + 4], of = groups[at + 5], weight = groups[at + 6]
      }
      at, shared = at + 7, terms.weight > 0 and terms
    end
    if mode >= WITH.PENALTY then mode, item.reduces = mode - WITH.PENALTY, rule.reduced > 0 end
  end
  item.own, item.cost, item.mode, item.terms, item.shared, item.start = rule, cost, mode, terms, shared, false
  if flags >= 4 then
    item.pool = shared and items[d - 1]
    item.back, item.placed, item.others = 0, false, 0
  end
  if mode == MODE.SETTLE then
    item.charged_to = groups[at]
    at = at + 1
  end
  plain = plain and mode == MODE.CHARGE and rule.kind <= KIND.WINDOW and cost > 0
  if plain and rule.kind == KIND.BUCKET then item.owes, item.room = cost * rule.unit, rule.capacity * rule.unit end
end
