// A budget in virtual time: a store that can fail, processes, and operators.
import { QuotaPeriod, type Quota, type RateLimiter, type RateLimiterOptions } from '../../src/index.ts'
import type { FakeOutage } from '../../src/testing/index.ts'
import { endTime, newTime, type Operators, ORIGIN, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'
import { answering } from '../waiting/answering.ts'

// What is decided without the store goes by the time since the process began.
const BEGAN = ORIGIN

/** 1000 units a day. The day ends after a minute. */
export const day: Quota = {
  name: 'day',
  limit: 1000,
  period: QuotaPeriod.DAILY,
  anchor: new Date(BEGAN + 60_000),
}
export const alice = { user: '42' } as const

/** A budget, and what a test does to it. */
export interface BudgetWorld {
  readonly time: VirtualTime
  readonly store: FakeOutage
  readonly limiter: RateLimiter
  /** Another process. */
  readonly other: RateLimiter
  /** Undefined unless the file has loaded a `Control`. */
  readonly control: Operators | undefined
  /** Lets milliseconds pass. */
  readonly pass: (ms: number) => Promise<void>
  /** Does something, and lets milliseconds pass meanwhile. */
  readonly soon: <T>(promise: Promise<T>, ms?: number) => Promise<T>
  /** Ends the outage, and waits until the process knows and has told the store of what it missed. */
  readonly recover: () => Promise<void>
  /** What is used and held. */
  readonly read: () => Promise<number[]>
  /** Charges the budget past all limiters, as another process does. */
  readonly useUp: (units: number) => Promise<void>
  /** Grants units, as another process does. */
  readonly grant: (units: number) => Promise<void>
}

/**
 * Plays a test on a budget in virtual time.
 *
 * @param answers when the store answers, in milliseconds. Default: at once, as one in this process
 */
export async function withBudget(
  core: VirtualCore,
  play: (world: BudgetWorld) => Promise<void>,
  options: Partial<RateLimiterOptions> = {},
  answers?: number,
): Promise<void> {
  const time = newTime(BEGAN)
  try {
    const inner = new core.ReferenceStore(() => time.unixMs())
    const store = core.fakeOutage(answers === undefined ? inner : answering(inner, answers))
    const warn = (): void => {}
    const control = core.Control && new core.Control({ store, warn })
    const make = (): RateLimiter =>
      new core.RateLimiter({
        store,
        policy: day,
        ...(control && { control }),
        warn,
        instances: 1,
        storeTimeout: '100ms',
        ...options,
      })
    const limiter = make()
    const quotas = new core.QuotaManager(inner)
    const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
    const soon = async <T>(promise: Promise<T>, ms = 0): Promise<T> =>
      (await Promise.all([promise, pass(ms)]))[0]
    await play({
      time,
      store,
      limiter,
      other: make(),
      control,
      pass,
      soon,
      async recover() {
        store.end()
        await pass(2000)
        await soon(limiter.peek(alice))
        await pass(1000)
      },
      async read() {
        const { used, held } = (await soon(quotas.checkQuota('42', day))).quota
        return [used, held]
      },
      async useUp(units) {
        await soon(quotas.consumeQuota('42', day, { cost: units }))
      },
      async grant(units) {
        await soon(quotas.grantQuota('42', day, units))
      },
    })
    await soon(limiter.close(), 2000)
    control?.close()
  } finally {
    endTime()
  }
}
