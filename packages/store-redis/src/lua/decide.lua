-- Decides groups of demands. Mirrors the loop of core/src/store/decide.ts and the steps of core/src/algorithms: read them
-- side by side. tools/lua-names.mjs translates the names below, and tools/print-lua.mjs prints the script.
--
-- KEYS    for each group: its penalty, its idempotency key and its demands, in that order. The first two are optional.
-- ARGV[1] the clock in microseconds; '' or 's' for the server's. Anything else was overwritten, so that a call which a
--         client sends again charges nothing: connection/at-most-once.ts.
-- ARGV[2] JSON: the rules, then the groups as one flat list. An entry of the list is a run of groups that differ only in
--         their keys: how many; the number of demands; 1 for a penalty, plus 2 for an idempotency key, plus 4 for terms; the
--         numbers of the penalty and of the key; then for each demand its rule, cost, mode (plus 16 under a penalty, plus 32
--         with terms, plus 64 with a share), its terms (the longest wait, the fewest units or -1, the share left to others, how long the
--         units are kept, the instant since which they were, the place in line or -1, the id of its line, how long a quota holds the
--         units, the end and the number of units that the call holds), its share of a pool (the place of the pool in the group, the
--         weight, the ticket, or -1, or -2 where one is wanted, the clock of the ticket) and, in a settlement, its charged_to.
--         The commonest calls have other arguments: fast/lone-bucket.lua, fast/lone-fair.lua.
-- reply   the clock, then the reply to each group: reply.lua.
--
-- It makes no function before it knows that it needs one, and does nothing for parts that a group lacks, because it runs for
-- every check.

--@ record rule own pooled: kind cooldown reduced capacity unit=5 rate=6 length=5 edge1=6 edge2=7 edge3=8 window=5 slice=6 precision=7
--@ record penalty_rule: threshold duration decay severity echo factor longest
--@ record state turned: cooldown at=2 debt=3 unit=4 rate=5 parts=6 born=7 tail=8 pool=9 kept=10 gone=11 holes=12 ends=2 count=3 granted=4 till=2 tag=3 epoch=4
--@ record line: cooldown at debt unit rate parts born tail pool kept gone holes
--@ record score: ends points last violations level fresh
--@ record item first pool: key rule own cost mode charged_to state used fits short before starts terms need others left paid joins holds stored clock shared pool turn for_turn back ttl
--@ record terms: wait least floor hold since position born ttl to held
--@ record shared: pool weight tag epoch
--@ record turn: pace reading epoch left known start plenty
--@ record pace: plenty band per_unit top kept
--@ enum KIND: BUCKET=0 WINDOW=1 SUBWINDOWS=2 LEASES=3 TAG=4
--@ enum MODE: CHARGE=0 SHADOW=1 PEEK=2 SETTLE=3 HOLD=4 BLOCK=5 GRANT=6 LOOK=7 RESET=8
--@ enum PENALTY: WATCH=0 READ=1 RECORD=2 APPLY=3

-- A key expires at an instant of the server's clock. By any other clock it expires after a time, which costs the server more.
-- perf: bench "redis"; PXAT instead of PX takes a third of a microsecond off each check.
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

-- The last byte of a bucket with a virtual clock: virtual-clock.lua.
local MOST_UNITS, MOST_COUNTED, CLOCK = 999999999999999, 4503599627370496, 99
local format, try, NEWER = string.format, redis.pcall, 'NEWER A newer version of Halt wrote the counter'
local floor, min, max = math.floor, math.min, math.max
local MAX, PENALIZED, WITH_TERMS, WITH_SHARE, ceil, pack, unpackd = 9007199254740991, 16, 32, 64, math.ceil, struct.pack, struct.unpack
local wrote, pace_of, run_clock = {}, nil, nil
--@ include "fast/lone-fair.lua"
--@ include "bucket.lua"
--@ include "windows.lua"

if not groups then
  local sent = cjson.decode(args[2])
  rules, groups = sent[1], sent[2]
end
local keys = KEYS
-- MGET and not GET, because MGET gives nothing for a key of another type instead of an error. The key is overwritten.
local raw = call('MGET', unpack(keys))
local out, o, at, k = { now }, 1, 1, 0
local items = {}
-- Used again for each group, so that the fast paths make no tables.
local units, rates, costs, rooms, before, values, fresh_at = {}, {}, {}, {}, {}, {}, {}
local read_line, pay, leave, reset_line

while at <= #groups do
  local times, count, flags, start = groups[at], groups[at + 1], groups[at + 2], at + 3
  --@ include "fast/plan.lua"
  at = first + 3 * count
  for _ = 1, times do
    local decided = false
    --@ include "fast/bucket-group.lua"
    --@ include "fast/plain-group.lua"
    --@ include "fast/fair-group.lua"
    --@ include "fast/hold-group.lua"
    if not decided then
      local i = start
      o = o + 1
      local penalty_key, score, penalty_rule, penalty_mode, amount, penalized, once_key, once_ends, repeated
      if flags % 2 == 1 then
        k = k + 1
        penalty_key, penalty_rule, penalty_mode, amount = keys[k], rules[groups[i]], groups[i + 1], groups[i + 2]
        i = i + 3
        local value = wrote[penalty_key]
        if value == nil then value = raw[k] end
        if value then
          score = numbers(value)
          if #score ~= 6 or now >= score.fresh then score = nil end
        end
        penalized = score and now < score.ends
      end
      if flags % 4 >= 2 then
        k = k + 1
        once_key = keys[k]
        local value = wrote[once_key]
        if value == nil then value = raw[k] end
        repeated = value and #value == 8 and now < unpackd('>d', value)
        once_ends = groups[i]
        if once_ends > 0 then once_ends = now + once_ends else
          once_ends = ending(groups[i + 1], groups[i + 2], groups[i + 3])
          i = i + 3
        end
        i = i + 1
      end

      --@ include "judge.lua"
      at = i
      local wait, granted, joins
      if flags >= 4 then
        --@ include "terms.lua"
      end
      --@ include "charge.lua"
      --@ include "abuse-score.lua"
      if once_key and keeps_key and allowed and not repeated and not failed then
        local value = pack('>d', once_ends)
        try('SET', once_key, value, 'PX', ceil((once_ends - now) / 1000) + 1000)
        wrote[once_key] = value
      end
      --@ include "reply.lua"
    end
  end
end
return out
