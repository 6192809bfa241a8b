// The kinds of histories: what else happens while callers wait.
import fc from 'fast-check'

/** An act that changes something. Numbers from 0 to 1 choose among what there is. */
export type Change =
  | { readonly does: 'settle'; readonly which: number; readonly share: number }
  | { readonly does: 'cancel'; readonly cost: number; readonly ms: number }
  | { readonly does: 'abort'; readonly whom: 'one' | 'some' | 'process' | 'all'; readonly which: number }
  | { readonly does: 'change'; readonly factor: number; readonly burst: number }
  | { readonly does: 'reset' }
  | { readonly does: 'pause'; readonly ms: number }
  | { readonly does: 'block'; readonly user: string; readonly ms: number }
  | { readonly does: 'failover'; readonly stepMs: number; readonly lostMs: number }
  | { readonly does: 'lose' }
  | {
      readonly does: 'outage'
      readonly fault: 'away' | 'hung'
      readonly ms: number
      readonly answered: number
    }
  | { readonly does: 'close' | 'kill' }

/** One step of a history. */
export interface Act {
  /** The time since the step before, in callers' worth of time: 1 is the time that pays for a caller. */
  readonly after: number
  /** Chooses the process. */
  readonly process: number
  readonly cost: number
  readonly by: 'acquire' | 'run' | 'check'
  readonly maxWaitMs: number
  readonly user: string
  readonly change: Change | undefined
}

/** A history. */
export interface History {
  readonly seed: number
  readonly processes: number
  readonly limit: number
  readonly burst: number
  readonly acts: readonly Act[]
}

const within = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const share = within(0, 99).map(value => value / 100)

const settle: fc.Arbitrary<Change> = fc.record({
  does: fc.constant('settle' as const),
  which: share,
  // A share of the cost that is used: most give back, some overdraw.
  share: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(0, 0, 0.5) },
    { weight: 1, arbitrary: within(1, 3) },
  ),
})
const cancel: fc.Arbitrary<Change> = fc.record({
  does: fc.constant('cancel' as const),
  cost: within(1, 3),
  ms: within(1, 800),
})
const abort: fc.Arbitrary<Change> = fc.record({
  does: fc.constant('abort' as const),
  whom: fc.constantFrom('one' as const, 'one' as const, 'some' as const, 'process' as const, 'all' as const),
  which: share,
})
const limit: fc.Arbitrary<Change> = fc.record({
  does: fc.constant('change' as const),
  factor: fc.constantFrom(0.1, 0.3, 0.5, 2, 4, 10),
  burst: fc.constant(1),
})
const burst: fc.Arbitrary<Change> = fc.record({
  does: fc.constant('change' as const),
  factor: fc.constant(1),
  burst: fc.constantFrom(0.3, 0.5, 2, 4),
})
const reset: fc.Arbitrary<Change> = fc.constant({ does: 'reset' })
const pause: fc.Arbitrary<Change> = fc.record({ does: fc.constant('pause' as const), ms: within(100, 3000) })
const block: fc.Arbitrary<Change> = fc.record({
  does: fc.constant('block' as const),
  user: fc.constantFrom('u0', 'u1', 'u2'),
  ms: within(500, 5000),
})
const failover: fc.Arbitrary<Change> = fc.record({
  does: fc.constant('failover' as const),
  stepMs: fc.oneof(within(-10_000, 1000), fc.constantFrom(-10_000, -1000, -100, 100, 1000)),
  lostMs: fc.constant(0),
})
const loss: fc.Arbitrary<Change> = fc.oneof(
  fc.constant<Change>({ does: 'lose' }),
  fc.constant<Change>({ does: 'failover', stepMs: 0, lostMs: 30 }),
)
const outage: fc.Arbitrary<Change> = fc.record({
  does: fc.constant('outage' as const),
  fault: fc.constantFrom('away' as const, 'hung' as const),
  ms: fc.oneof(within(20, 300), within(1000, 5000)),
  answered: fc.constantFrom(0, 0.5, 1),
})
const close: fc.Arbitrary<Change> = fc.constant({ does: 'close' })
const kill: fc.Arbitrary<Change> = fc.constant({ does: 'kill' })

/** A kind of histories. */
export interface Kind {
  readonly name: string
  readonly changes: fc.Arbitrary<Change> | undefined
  /** How many ordinary callers come for each change. */
  readonly rarely: number
  /** How operators change the policy. */
  readonly by: 'control' | 'registry' | 'never'
  /** The longest time in which callers may stand still with room, in milliseconds. */
  readonly idleMs: number
  readonly leastProcesses: number
  /** How closely callers come: a number below 1 brings more, for kinds that give units back. */
  readonly gap: number
}

const kind = (
  name: string,
  changes: fc.Arbitrary<Change> | undefined,
  { rarely = 8, by = 'never', idleMs = 1250, leastProcesses = 1, gap = 1 }: Partial<Kind> = {},
): Kind => ({ name, changes, rarely, by, idleMs, leastProcesses, gap })

/** All kinds. */
export const KINDS: readonly Kind[] = [
  kind('nothing changes', undefined, { idleMs: 60 }),
  kind('charges are settled, refunded, overdrawn and cancelled', fc.oneof(settle, settle, cancel), {
    rarely: 1,
    gap: 0.3,
  }),
  kind('callers leave: one, some, a process, all', abort, { rarely: 4, gap: 0.6 }),
  kind('the limit is changed by Control', limit, { rarely: 25, by: 'control' }),
  kind('the limit is changed in a PolicyRegistry', limit, { rarely: 25, by: 'registry' }),
  kind('the burst is changed by Control', burst, { rarely: 25, by: 'control' }),
  kind('the counter is reset', reset, { rarely: 15 }),
  kind('the counter is paused', pause, { rarely: 20 }),
  kind('a user is blocked by Control', block, { rarely: 20, by: 'control' }),
  kind('the store fails over to a server with another clock', failover, { rarely: 20 }),
  kind('the store loses the counter, or its last writes', loss, { rarely: 20 }),
  kind('the store is away or hangs', outage, { rarely: 30 }),
  kind('processes close in good order', close, { rarely: 25, leastProcesses: 2 }),
  kind('processes are killed', kill, { rarely: 25, leastProcesses: 2 }),
  kind(
    'all of it together',
    fc.oneof(
      settle,
      settle,
      settle,
      abort,
      abort,
      limit,
      burst,
      reset,
      pause,
      failover,
      outage,
      loss,
      close,
      kill,
    ),
    { rarely: 8, by: 'control', leastProcesses: 2, idleMs: 2500 },
  ),
]

/** Histories of a kind. */
export function historiesOf(
  { changes, rarely, leastProcesses, gap }: Kind,
  size = 90,
): fc.Arbitrary<History> {
  const change = changes ?? fc.constant(undefined)
  return fc.record({ burst: within(1, 10), isMixed: fc.boolean() }).chain(({ burst: capacity, isMixed }) => {
    const cost = isMixed ? within(1, Math.min(5, capacity)) : fc.constant(1)
    const mean = isMixed ? (1 + Math.min(5, capacity)) / 2 : 1
    const act = fc.record({
      // On the whole more come than the rate admits, in bunches.
      after: fc
        .oneof(
          fc.constant(0),
          share,
          within(0, 150).map(value => value / 100),
        )
        .map(value => value * mean * gap),
      process: share,
      cost,
      by: fc.constantFrom(
        'acquire' as const,
        'acquire' as const,
        'acquire' as const,
        'run' as const,
        'check' as const,
      ),
      maxWaitMs: fc.oneof(within(50, 1000), within(1000, 20_000), within(1000, 20_000)),
      user: fc.constantFrom('u0', 'u1', 'u2'),
      change: fc.oneof(
        { weight: rarely, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: change },
      ),
    })
    return fc
      .record({
        seed: within(1, 2 ** 30),
        processes: within(leastProcesses, 4),
        limit: within(5, 40),
        burst: fc.constant(capacity),
        acts: fc.array(act, { minLength: Math.ceil(size / 3), maxLength: size, size: 'max' }),
      })
      .map(history => ({ ...history, [fc.toStringMethod]: () => textOf(history) }))
  })
}

/** A history in short: what changes, and the numbers. `HALT_SHRINK=1` shows the callers as well. */
function textOf({ acts, ...numbers }: History): string {
  const shown = process.env['HALT_SHRINK'] === '1' ? acts : acts.flatMap(act => act.change ?? [])
  return `${JSON.stringify(numbers)}, ${acts.length} acts: ${JSON.stringify(shown)}`
}
