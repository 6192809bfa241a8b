-- Decides groups of demands. Mirrors the loop of core/src/store/decide.ts and the steps of core/src/algorithms: read them
-- side by side. tools/lua-names.mjs translates the names below, and tools/print-lua.mjs prints the script.
--
-- KEYS    for each group: its penalty, its idempotency key and its demands, in that order. The first two are optional.
-- ARGV[1] the clock in microseconds; '' or 's' for the server's. Anything else was overwritten, so that a call which a
--         client sends again charges nothing: connection/at-most-once.ts.
-- ARGV[2] JSON: the rules, then the groups as one flat list. An entry of the list is a run of groups that differ only in
--         their keys: how many; the number of demands; 1 for a penalty, plus 2 for an idempotency key, plus 4 for terms; the
--         numbers of the penalty and of the key; then for each demand its rule, cost, mode (plus 16 under a penalty, plus 32
--         with terms), its terms and, in a settlement, its charged_to. A tenant's own counter follows that of the pool. Terms are those of core/src/databases/remote/demand-numbers.ts:
--         `receipt` and `of` are a place in line and its line, the end and the number of units that the call holds, or a ticket and its
--         clock. `receipt` is -1 for none, and -2 where a ticket is wanted.
--         The commonest calls have other arguments: fast/lone-bucket.lua, fast/lone-fair.lua.
-- reply   the clock, then the reply to each group: reply.lua.
--
-- It makes no function before it knows that it needs one, and does nothing for parts that a group lacks, because it runs for
-- every check. A demand has one record, which the demand at its place in the next group of the call uses again. The numbers of a
-- bucket, a window and a tag are the first of its record, so that they need no list.

--@ record rule own pooled: kind cooldown reduced capacity unit=5 rate=6 plenty=7 band=8 per_unit=9 top=10 kept=11 length=5 edge1=6 edge2=7 edge3=8 window=5 slice=6 precision=7
--@ record penalty_rule: threshold duration decay severity echo factor longest
--@ record item first second pool state: cooldown at debt unit rate key value rule own cost mode charged_to state used fits short next fresh starts line terms shared reduces start owes room clock reading began stored pool back placed need known spare for_turn left others ends=2 count=3 granted=4 ring=5 till=2 tag=3 epoch=4
--@ record line owner: cooldown at debt unit rate parts born tail pool kept gone holes
--@ record score: ends points last violations level fresh
--@ record terms shared: wait least headroom keep receipt of weight
--@ enum KIND: BUCKET=0 WINDOW=1 SUBWINDOWS=2 PERMITS=3 TAG=4
--@ enum MODE: CHARGE=0 SHADOW=1 PEEK=2 DEFER=3 SETTLE=4 GRANT=5 BLOCK=6 LOOK=7 RESET=8
--@ enum PENALTY: WATCH=0 READ=1 RECORD=2 APPLY=3
--@ enum WITH: PENALTY=16 TERMS=32
--@ enum MOST: UNITS=999999999999999 COUNTED=4503599627370496 READING=4503599627370496 DEBT=9007199254740991
--@ enum END: CLOCK=99
--@ enum KEEP: LONGER=1000999.75
--@ everywhere now call try pack unpackd floor ceil min max format expiry origin NEWER

-- A key expires at an instant of the server's clock. By any other clock it expires after a time, which costs the server more.
-- perf: bench "redis"; PXAT instead of PX takes a third of a microsecond off each check.
-- The milliseconds are those of a second after the counter equals a fresh one, rounded up: KEEP.LONGER. An instant in microseconds is a
-- double whose least fraction is a quarter.
local args, call, time, expiry, origin = ARGV, redis.call, nil, 'PXAT', 0
local now = args[1]
if now == '' or now == 's' then
  time = call('TIME')
  now = time[1] * 1000000 + time[2]
else
  now = tonumber(now)
  if not now then return redis.error_reply('STALE The client sent this call again; nothing was charged') end
  time, expiry, origin = {}, 'PX', now
end

local rules, groups
--@ include "fast/lone-bucket.lua"

local format, try, NEWER = string.format, redis.pcall, 'NEWER A newer version of Halt wrote the counter'
local floor, min, max, ceil, pack, unpackd = math.floor, math.min, math.max, math.ceil, struct.pack, struct.unpack
--@ functions
--@ include "fast/lone-fair.lua"

if not groups then
  local sent = cjson.decode(args[2])
  rules, groups = sent[1], sent[2]
end
-- MGET and not GET, because MGET gives nothing for a key of another type instead of an error. The key is overwritten.
-- `at` is the next number of the groups, `k` the last key that was used, `o` the last entry of the reply.
local keys, raw, size, at, k, o = KEYS, call('MGET', unpack(KEYS)), #groups, 1, 0, 1
-- What the groups so far have written, by key: false for a key that was removed.
local wrote, items = {}, {}
-- perf: a list that is made with places need not grow.
local out = { now, nil, nil, nil, nil, nil, nil, nil, nil }

while at <= size do
  local times, count, flags = groups[at], groups[at + 1], groups[at + 2]
  local penalty_rule, penalty_mode, amount, once_window, edge1, edge2, edge3, plain
  at = at + 3
  if flags % 2 == 1 then
    penalty_rule, penalty_mode, amount, at = rules[groups[at]], groups[at + 1], groups[at + 2], at + 3
  end
  if flags % 4 >= 2 then
    once_window, at = groups[at], at + 1
    if once_window == 0 then
      edge1, edge2, edge3, at = groups[at], groups[at + 1], groups[at + 2], at + 3
    end
  end
  --@ include "demands.lua"
  for n = 1, times do
    local decided, failed, told, later = false, nil, o, n < times or at <= size
    if plain then
      --@ include "fast/plain-group.lua"
      if decided then
        --@ include "write.lua"
      end
    end
    if not decided then
      local allowed, refused, penalty_key, score, penalized, once_key, repeated, keeps, wait, granted, joins = true, false
      if penalty_rule then
        k = k + 1
        penalty_key = keys[k]
        local value = wrote[penalty_key]
        if value == nil then value = raw[k] end
        if value and #value == 48 then
          score = { unpackd('>dddddd', value) }
          if now >= score.fresh then score = nil end
        end
        penalized = score and now < score.ends
      end
      if once_window then
        k = k + 1
        once_key = keys[k]
        local value = wrote[once_key]
        if value == nil then value = raw[k] end
        repeated = value and #value == 8 and now < unpackd('>d', value)
      end
      --@ include "judge.lua"
      if once_key then
        --@ include "keeps-key.lua"
      end
      if flags >= 4 then
        --@ include "terms.lua"
      end
      --@ include "charge.lua"
      --@ include "write.lua"
      if penalty_rule and not failed then
        --@ include "abuse-score.lua"
      end
      if keeps and allowed and not repeated and not failed then
        --@ include "keep-key.lua"
      end
      if not failed then
        --@ include "reply.lua"
      end
    end
    if failed then
      -- The numbers of a group that is not charged are no part of the reply.
      for e = o + 1, told do out[e] = nil end
      told = o + 1
      out[told] = '!' .. failed
    end
    o = told
  end
end
return out
