import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { AbortSignalLike, DelayOptions, Guard, GuardOptions, Outcome } from '../../src/http/index.ts'
import { departureOf, guard } from '../../src/http/index.ts'
import type { Policy } from '../../src/index.ts'
import { Limiter } from '../../src/limiter/limiter.ts'
import { queue } from '../../src/waiting/queue.ts'
import { waitingRoom } from '../../src/waiting/lines.ts'
import { passingWorld } from '../waiting/passing-world.ts'
import { mistake, view, world } from '../world.ts'

const api: Policy = { name: 'api', limit: 10, window: 1, burst: 1 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => {
  vi.useRealTimers()
  const { size, alarms } = waitingRoom
  if (size + alarms.size > 0) throw new Error(`${size} callers and ${alarms.size} alarms were left behind.`)
})

/** Sends a request to a guard. The list gets its outcome when it has one. */
async function send(to: Guard, outcomes: Outcome[], departure?: AbortSignalLike): Promise<void> {
  outcomes.push(await to.enter(view(), {}, departure))
}

describe('the option delay', () => {
  it.each([
    [null, 'HALT_E_OPTION'],
    [true, 'HALT_E_OPTION'],
    ['2s', 'HALT_E_OPTION'],
    [{ maxWait: 0 }, 'HALT_E_MAX_WAIT'],
    [{ maxWait: '25h' }, 'HALT_E_MAX_WAIT'],
    [{ maxWait: Number.NaN }, 'HALT_E_MAX_WAIT'],
    [{ maxWait: null }, 'HALT_E_MAX_WAIT'],
    [{ most: 0 }, 'HALT_E_OPTION'],
    [{ most: 1.5 }, 'HALT_E_OPTION'],
    [{ most: '9' }, 'HALT_E_OPTION'],
    [{ most: Number.POSITIVE_INFINITY }, 'HALT_E_OPTION'],
    [{ wait: '2s' }, 'HALT_E_UNKNOWN_FIELD'],
  ])('delay refuses %o', (delay, expected) => {
    const options = { delay } as unknown as GuardOptions
    expect(mistake(() => guard(world().limiter(api), options)).code).toBe(expected)
  })

  it('delay may be empty, and its fields may be undefined', () => {
    for (const delay of [{}, { maxWait: undefined, most: undefined }])
      expect(guard(world().limiter(api), { delay }).delays).toBe(true)
    expect(guard(world().limiter(api), { delay: undefined }).delays).toBe(false)
  })
})

describe('a guard with delay', () => {
  it('a guard with delay holds a request for at most 30 seconds, and 1000 requests at once, by default', async () => {
    const { limiter, pass } = passingWorld()
    const outcomes: Outcome[] = []
    const patient = guard(limiter({ ...api, limit: 100, window: 100 }), { delay: {} })
    for (let i = 0; i < 32; i++) void send(patient, outcomes)
    await pass(0)
    // One starts at once, and one each second after it.
    expect(outcomes.map(({ pass: passes }) => passes)).toEqual([true, false])
    const crowded = guard(limiter({ ...api, name: 'b', limit: 1000 }), { delay: {} })
    const others: Outcome[] = []
    for (let i = 0; i < 1002; i++) void send(crowded, others)
    await pass(0)
    expect(others.filter(({ status }) => status === 429)).toHaveLength(2)
    await Promise.all([patient.limiter.close(), crowded.limiter.close()])
  })

  it.each([1, 5])(
    'held requests that do not count start at the pace of the limit, though each ends at once: burst %i',
    async burst => {
      const { limiter, pass } = passingWorld()
      const patient = guard<unknown, { status: number }>(limiter({ ...api, burst }), {
        delay: { maxWait: '30s' },
        chargeWhen: ({ status }) => status < 500,
      })
      const starts: number[] = []
      for (let i = 0; i < 40; i++)
        void Promise.resolve(patient.enter(view(), {})).then(outcome => {
          starts.push(performance.now())
          patient.leave(outcome, { status: 503 })
        })
      await pass(1000)
      expect(starts.length).toBeLessThanOrEqual(10 + 2 * burst)
      await pass(5000)
      expect(starts).toHaveLength(40)
      await patient.limiter.close()
    },
  )

  it('a guard with delay reports a held request once, with its whole charge', async () => {
    const { limiter, pass } = passingWorld()
    const reported: boolean[] = []
    const onCheck = (_key: string, { allowed }: { allowed: boolean }): void => void reported.push(allowed)
    const outcomes: Outcome[] = []
    const fixed: Policy = { name: 'fixed', limit: 1, window: 1, algorithm: 'fixed-window' }
    for (const policy of [api, fixed]) {
      const own = guard(limiter(policy, { telemetry: { onCheck } }), { delay: {} })
      for (let i = 0; i < 2; i++) void send(own, outcomes)
    }
    await pass(1000)
    expect(outcomes.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(reported).toEqual([true, true, true, true])
    expect(outcomes.map(({ charged }) => charged)).toEqual([true, true, true, true])
  })

  it('a guard counts its held requests together with other guards that got the same delay object', async () => {
    const { limiter, pass } = passingWorld()
    const own = limiter(api)
    const statuses = async (first: DelayOptions, second: DelayOptions): Promise<number[]> => {
      const outcomes: Outcome[] = []
      const guards = [first, second].map(delay => guard(own, { delay }))
      await pass(100)
      for (const each of [guards[0], ...guards]) void send(each as Guard, outcomes)
      await pass(1000)
      return outcomes.map(({ status }) => status)
    }
    const delay = { most: 1 }
    expect(await statuses(delay, { ...delay })).toEqual([429, 200, 200])
    expect(await statuses(delay, delay)).toEqual([429, 429, 200])
  })

  it('a guard decides held requests as without delay when the limiter closes', async () => {
    const { limiter, pass } = passingWorld()
    const own = guard(limiter(api), { delay: {} })
    const outcomes: Outcome[] = []
    for (let i = 0; i < 3; i++) void send(own, outcomes)
    await pass(0)
    await own.limiter.close()
    await pass(0)
    expect(outcomes.map(({ status }) => status)).toEqual([200, 429, 429])
    expect(outcomes[1]?.decision).toMatchObject({ allowed: false, policy: 'api' })
  })

  it('a held request whose response ends first is refused without a decision, and gives its place back', async () => {
    const { limiter, pass } = passingWorld()
    const own = guard(limiter(api), { delay: {} })
    const outcomes: Outcome[] = []
    let end = (): void => {}
    const response = {
      once: (event: string, listener: () => void) => void (event === 'finish' && (end = listener)),
    }
    void send(own, outcomes)
    void send(own, outcomes, departureOf(response))
    void send(own, outcomes)
    await pass(50)
    // The application answers the held request by itself.
    end()
    await pass(0)
    expect(outcomes[1]).toMatchObject({ pass: false, decision: undefined, charged: false, status: 499 })
    await pass(50)
    expect(outcomes[2]).toMatchObject({ pass: true, charged: true })
  })

  it('a guard does not ask the store about a request whose client left before', async () => {
    const { limiter, store } = passingWorld()
    const evaluate = vi.spyOn(store, 'evaluate')
    const own = guard(limiter(api), { delay: {} })
    const departure = departureOf({ once: () => {}, destroyed: true })
    expect(await own.enter(view(), {}, departure)).toMatchObject({ pass: false, decision: undefined })
    expect(evaluate).not.toHaveBeenCalled()
  })

  it('a guard keeps the place of a request whose departure nobody tells', async () => {
    const { limiter, pass } = passingWorld()
    const own = guard(limiter(api), { delay: {} })
    const outcomes: Outcome[] = []
    for (let i = 0; i < 2; i++) void send(own, outcomes)
    await pass(100)
    expect(outcomes.map(({ pass: passes }) => passes)).toEqual([true, true])
  })

  it('a guard passes on the error of a request that cannot be read', async () => {
    const own = guard(world().limiter(api), { delay: {} })
    const broken = view()
    Object.defineProperty(broken, 'headers', {
      get() {
        throw new TypeError('broken view')
      },
    })
    Object.defineProperty(broken, 'ip', {
      get() {
        throw new TypeError('broken view')
      },
    })
    await expect(own.enter(broken, {})).rejects.toThrow('broken view')
  })

  it('a guard holds requests with a limiter of the kernel, and loads what it needs with the first one', async () => {
    const { store, pass } = passingWorld()
    const limiter = new Limiter({ store, policy: api })
    const outcomes: Outcome[] = []
    const own = guard(limiter, { delay: { maxWait: '200ms' } })
    for (let i = 0; i < 4; i++) void send(own, outcomes)
    await vi.dynamicImportSettled()
    await pass(0)
    // One starts at once, two wait for their turns, and the last would wait too long.
    expect(outcomes.map(({ status }) => status)).toEqual([200, 429])
    await pass(200)
    expect(outcomes.map(({ status }) => status)).toEqual([200, 429, 200, 200])
    await limiter.close()
    await send(own, outcomes)
    expect(outcomes.at(-1)?.status).toBe(429)
  })

  it('a limiter that was closed before takes nobody into a line', async () => {
    const { store } = passingWorld()
    const limiter = new Limiter({ store, policy: api })
    await limiter.close()
    await expect(queue(limiter).acquire({ user: '1' })).rejects.toMatchObject({ code: 'HALT_E_CLOSED' })
  })
})
