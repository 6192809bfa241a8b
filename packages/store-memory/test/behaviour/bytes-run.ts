// A process of its own, because other tests of a process also take memory. Prints what each flood of keys took. It needs --expose-gc.
import { Mode, type Demand, type Rule } from '@halt/core/store'
import { ManualClock } from '@halt/core/testing'

import { InMemoryStore } from '../../src/index.ts'
import { rule } from '../rule.ts'
import { CAP, type Flooded, MAX_KEYS } from './flooded.ts'

const gc = globalThis.gc as () => void

// Amounts beyond 32 bits and long refusals, so that the columns which most keys lack are all in use.
const heavy: Rule = { ...rule, counter: 'b:t', unit: 2 ** 45, cooldown: 600e6 }
const sliding: Rule = {
  ...rule,
  code: 's',
  counter: 's:s',
  limit: 1e6,
  capacity: 1e6,
  precision: 1000,
  slice: 60_000,
}
const permits: Rule = {
  ...rule,
  code: 'c',
  counter: 'c:c',
  limit: 1000,
  capacity: 1000,
  precision: 1000,
  slice: 1,
}

function charge(store: InMemoryStore, of: Rule, subject: string, cost = 1): boolean {
  const demand: Demand = { rule: of, subject, cost, mode: Mode.CHARGE, penalized: false }
  return store.evaluate({ demands: [demand] }).allowed
}

function used(): number {
  gc()
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

interface Flood {
  readonly title: string
  readonly keys: number
  readonly isLong?: boolean
  /** The group to evaluate for one key. */
  readonly ask: (store: InMemoryStore, i: number, clock: ManualClock) => void
}

const text = (i: number, length: number, filler = 'x'): string => `user:${i}-`.padEnd(length, filler)

const floods: Flood[] = [
  {
    title: 'blocked keys with long names',
    keys: 40_000,
    ask: (store, i) => {
      while (charge(store, heavy, text(i, 128)));
    },
  },
  {
    title: 'keys in two-byte letters',
    keys: 40_000,
    ask: (store, i) => void charge(store, rule, text(i, 64, 'ж')),
  },
  {
    title: 'keys that were cut from large headers',
    // Few enough for one segment, and of two lengths in turn, because a split and a comparison of equal lengths copy names.
    keys: 3_000,
    ask: (store, i) =>
      void charge(
        store,
        rule,
        `user:${Buffer.from(text(i, 4000))
          .toString('latin1')
          .slice(0, 40 + (i % 2))}`,
      ),
  },
  {
    title: 'names longer than any id',
    keys: 20_000,
    ask: (store, i) => void charge(store, { ...rule, counter: `p@${text(i, 15_000)}:t` }, `user:${i}`),
  },
  {
    title: 'sliding windows of a thousand sub-windows',
    keys: 300_000,
    isLong: true,
    ask: (store, i, clock) => {
      charge(store, sliding, `user:${i % 400}`)
      if (i % 400 === 399) clock.advance('60ms')
    },
  },
  {
    title: 'keys with many requests in flight',
    keys: 1_000,
    isLong: true,
    ask: (store, i, clock) => {
      for (let unit = 0; unit < 500; unit++) {
        charge(store, permits, `user:${i}`)
        clock.advance(0.000_002)
      }
    },
  },
  {
    title: 'idempotency keys',
    keys: 60_000,
    ask: (store, i) => {
      const once = {
        subject: text(i, 100),
        counter: `p@${String(i).padStart(22, '0')}.${'d'.repeat(22)}:i`,
        window: 86_400e6,
      }
      store.evaluate({
        demands: [{ rule, subject: 'user:1', cost: 1, mode: Mode.SETTLE, penalized: false }],
        idempotency: once,
      })
    },
  },
  {
    title: 'policies of one key each',
    keys: 5_000,
    ask: (store, i) => void charge(store, { ...heavy, counter: `policy-${i}:t` }, `user:${i}`),
  },
]

/** Floods a new store. */
function flooded({ title, keys, ask }: Flood): Flooded {
  const clock = new ManualClock()
  const store = new InMemoryStore({ maxKeys: MAX_KEYS, clock: clock.now })
  const before = used()
  let most = 0
  for (let i = 0; i < keys; i++) {
    ask(store, i, clock)
    if (i % 1000 === 0) most = Math.max(most, store.bytes)
  }
  return { title, growth: used() - before, most, left: store.size }
}

/** The least of three floods, because the process also grows by code that it compiles meanwhile. */
function leastOf(flood: Flood): Flooded {
  let least = flooded(flood)
  for (let more = 0; more < 2 && least.growth > CAP; more++) {
    const again = flooded(flood)
    if (again.growth < least.growth) least = again
  }
  return least
}

// Those of half a million charges take as long as all others together.
const isQuick = process.argv.includes('--quick')
const chosen = floods.filter(({ isLong = false }) => !isQuick || !isLong)
process.stdout.write(JSON.stringify(chosen.map(leastOf)))
