// Whatever happens to callers that wait, each of them ends, and so does the limiter.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { Policy, Decision } from '@halt/core'
import { endTime, newTime, unloadCore } from '../../../core/test/line/virtual-core.ts'
import { type ControlledCore, loadControlled } from '../line/virtual-control.ts'
import type { VirtualTime } from '../../../core/test/line/virtual-time.ts'
import { otherProcess } from '../../../core/test/waiting/passing-world.ts'
import { answering } from '../../../core/test/waiting/answering.ts'

let core: ControlledCore
beforeAll(async () => void (core = await loadControlled()))
afterAll(unloadCore)

const bucket: Policy = { name: 'bucket', limit: 10, window: 1, burst: 2 }
const window: Policy = { name: 'window', limit: 4, window: 1, algorithm: 'sliding-window' }
const POLICIES: Record<string, Policy | Policy[]> = {
  bucket,
  window,
  'fixed window': { ...window, algorithm: 'fixed-window' },
  'shared bucket': { ...bucket, keyStrategy: 'shared' },
  permits: { name: 'permits', limit: 2, algorithm: 'concurrency', ttl: '2s' },
  'bucket and window': [bucket, window],
  'two buckets': [bucket, { ...bucket, name: 'slow', limit: 5, keyStrategy: 'shared' }],
  'bucket and permits': [bucket, { name: 'permits', limit: 2, algorithm: 'concurrency', ttl: '2s' }],
  'fair bucket': { ...bucket, keyStrategy: 'shared', fair: { by: 'user' } },
  'fair permits': {
    name: 'permits',
    limit: 3,
    algorithm: 'concurrency',
    ttl: '2s',
    keyStrategy: 'shared',
    fair: { by: 'user' },
  },
  'bucket with headroom': { ...bucket, headroom: 0.5 },
  'bucket that blocks': { ...bucket, blockDuration: '300ms' },
  quota: { name: 'quota', limit: 5, period: 'hourly' },
}

// The second limiter of a history: where it is named here, it has other policies, which count on the same counters.
const SECOND: typeof POLICIES = {
  bucket: [bucket, window],
  'bucket and window': bucket,
  'two buckets': bucket,
  'shared bucket': [{ ...bucket, keyStrategy: 'shared' }, window],
}

type Op =
  | { do: 'acquire'; user: number; cost: number; maxWait: number; leaves: boolean; by: number }
  | { do: 'consume' | 'block' | 'allow' | 'unblock' | 'reset' | 'pause' | 'override' | 'idle'; user: number }
  | { do: 'change'; limit: number }
  | { do: 'fail'; how: 'refused' | 'hanging' | 'slow' }
  | { do: 'leave' | 'settle'; which: number }
  | { do: 'answer' }
  | { do: 'pass'; ms: number }

/** The longest that a caller waits, in seconds. */
const LONGEST = 5

const user = fc.nat({ max: 2 })
const acquire = fc.record({
  do: fc.constant('acquire' as const),
  user,
  cost: fc.integer({ min: 1, max: 3 }),
  maxWait: fc.constantFrom(0.1, 0.5, 2, LONGEST),
  leaves: fc.boolean(),
  by: fc.nat({ max: 1 }),
})
const op: fc.Arbitrary<Op> = fc.oneof(
  { arbitrary: acquire, weight: 12 },
  {
    arbitrary: fc.record({
      do: fc.constantFrom(
        'consume' as const,
        'block' as const,
        'allow' as const,
        'unblock' as const,
        'reset' as const,
        'pause' as const,
        'override' as const,
        'idle' as const,
      ),
      user,
    }),
    weight: 5,
  },
  {
    arbitrary: fc.record({ do: fc.constant('change' as const), limit: fc.integer({ min: 1, max: 20 }) }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      how: fc.constantFrom('refused' as const, 'hanging' as const, 'slow' as const),
    }),
    weight: 1,
  },
  { arbitrary: fc.constant({ do: 'answer' as const }), weight: 2 },
  {
    arbitrary: fc.record({
      do: fc.constantFrom('leave' as const, 'settle' as const),
      which: fc.nat({ max: 40 }),
    }),
    weight: 5,
  },
  {
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 7, 100, 700) }),
    weight: 5,
  },
)

interface History {
  readonly ops: readonly Op[]
  readonly closes: 'at once' | 'when the line is finished' | 'beside another' | 'when all have ended'
  /** When the store answers: at once, or after milliseconds. */
  readonly answers: 'at once' | number
  /** Whether the store answers when the limiter closes. */
  readonly isBack: boolean
}

const history: fc.Arbitrary<History> = fc.record({
  ops: fc.array(op, { minLength: 5, maxLength: 60 }),
  closes: fc.constantFrom(
    'at once' as const,
    'when the line is finished' as const,
    'beside another' as const,
    'when all have ended' as const,
  ),
  answers: fc.constantFrom('at once' as const, 0, 30),
  isBack: fc.boolean(),
})

async function play(kind: string, given: History): Promise<void> {
  try {
    await playIn(newTime(), kind, given)
  } finally {
    endTime()
  }
}

async function playIn(
  time: VirtualTime,
  kind: string,
  { ops, closes, answers, isBack }: History,
): Promise<void> {
  const { Control, RateLimiter, waitingRoom } = core
  const inner = new core.ReferenceStore(() => time.unixMs())
  const store = core.fakeOutage(answers === 'at once' ? inner : answering(inner, answers))
  const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
  const warn = (): void => {}
  const control = new Control({ store, warn })
  const policy = POLICIES[kind]!
  const options = { policy, control, warn, instances: 2, storeTimeout: '100ms' } as const
  const limiters = [
    new RateLimiter({ ...options, store }),
    new RateLimiter({
      ...options,
      policy: SECOND[kind] ?? policy,
      store: closes === 'beside another' ? otherProcess(store) : store,
    }),
  ]
  const open = new Set<string>()
  const watch = (name: string, promise: Promise<unknown>): void => {
    open.add(name)
    promise.then(
      () => open.delete(name),
      () => open.delete(name),
    )
  }
  const signals: AbortController[] = []
  const admitted: Decision[] = []
  const name = ([] as Policy[]).concat(policy)[0]!.name
  for (const [i, each] of ops.entries()) {
    const limiter = limiters[0]!
    switch (each.do) {
      case 'acquire': {
        const leaving = new AbortController()
        const { cost, maxWait } = each
        const turn = limiters[each.by]!.acquire(
          { user: String(each.user) },
          { cost, maxWait, ...(each.leaves ? { signal: leaving.signal } : {}) },
        ).then(decision => void (decision.allowed && admitted.push(decision)))
        watch(`caller ${i}`, turn)
        signals.push(leaving)
        break
      }
      case 'consume':
        watch(`consume ${i}`, limiter.consume({ user: String(each.user) }))
        break
      case 'block':
        watch(`block ${i}`, control.block({ user: String(each.user) }, { for: '900ms' }))
        break
      case 'allow':
        watch(`allow ${i}`, control.allow({ user: String(each.user) }, { for: '300ms' }))
        break
      case 'unblock':
        watch(`unblock ${i}`, control.unblock({ user: String(each.user) }))
        break
      case 'override':
        watch(`override ${i}`, control.override({ user: String(each.user) }, name, { limit: 3 }))
        break
      case 'change':
        watch(`change ${i}`, control.change(name, { limit: each.limit }))
        break
      case 'reset':
        watch(`reset ${i}`, limiter.reset({ user: String(each.user) }))
        break
      case 'pause':
        watch(`pause ${i}`, limiter.pause({ user: String(each.user) }, { for: '200ms' }))
        break
      case 'idle':
        watch(`idle ${i}`, limiter.idle({ user: String(each.user) }))
        break
      case 'fail':
        store.begin(each.how === 'slow' ? { slow: '80ms' } : each.how)
        break
      case 'answer':
        store.end()
        break
      case 'leave':
        signals[each.which % signals.length]?.abort(new Error('left'))
        break
      case 'settle': {
        const [decision] = admitted.splice(each.which % Math.max(1, admitted.length), 1)
        if (decision === undefined) break
        watch(`settle ${i}`, each.which % 2 === 0 ? limiter.settle(decision, 0) : limiter.release(decision))
        break
      }
      case 'pass':
        await pass(each.ms)
    }
  }
  if (isBack || closes === 'when all have ended') store.end()
  const close = closes === 'when the line is finished' ? { finishLine: '1s' } : {}
  if (closes === 'when all have ended') {
    // A caller that the store has forgotten, or whose answer is on its way, may end a little later than it wished.
    for (let i = 0; i < 80 && open.size > 0; i++) await pass(100)
    expect([...open]).toEqual([])
  }
  watch('close', limiters[0]!.close(close))
  if (closes === 'beside another') {
    // The other process goes on, and serves its own callers within the longest maxWait of those that are admitted.
    await pass(500)
    store.end()
    await pass(3_000)
  }
  watch('the other close', limiters[1]!.close(close))
  // Each call of the store ends within its deadline, and a close waits for a few of them.
  for (let i = 0; i < 40 && open.size > 0; i++) await pass(100)
  control.close()
  store.end()
  expect([...open]).toEqual([])
  expect([waitingRoom.size, waitingRoom.alarms.size]).toEqual([0, 0])
}

for (const kind of Object.keys(POLICIES))
  it(`every caller of ${kind} ends, and its limiter closes, whatever happens`, async () => {
    await fc.assert(
      fc.asyncProperty(history, async given => play(kind, given)),
      {
        numRuns: Number(process.env['RUNS'] ?? 6),
      },
    )
  })
