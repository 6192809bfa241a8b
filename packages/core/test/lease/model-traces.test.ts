// Random histories of the real code, each event of which must be a step of the model of leases.
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import type { Policy, RateLimiter } from '../../src/index.ts'
import { type Demand, type Evaluation, type Group, Mode, type Store } from '../../src/databases/index.ts'
import { passingWorld } from '../waiting/passing-world.ts'
import { START } from '../world.ts'
import { begin, flawOf, LeaseModel, type Slot, type State } from './model.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const COUNT = 3
const LIMIT = 400
const WINDOW_MS = 1000
const HOLD_MS = 100
const SHARE = 0.1
const policy: Policy = {
  name: 'hot',
  limit: LIMIT,
  window: WINDOW_MS / 1000,
  algorithm: 'fixed-window',
  lease: { share: SHARE, idle: `${HOLD_MS}ms` },
}

/** The model, led by what the real code does. */
class Follower {
  readonly #model = new LeaseModel({ window: WINDOW_MS * 1000, hold: HOLD_MS * 1000 })
  readonly #now: () => number
  state: State = begin(Array.from({ length: COUNT }, () => LIMIT))
  /** How often each step was made. */
  readonly made: Record<string, number> = {}

  /** @param now microseconds since the world began */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Makes a step of the model at this instant, and looks at all that must hold. */
  step(name: string, make: (model: LeaseModel, state: State) => State): void {
    this.made[name] = (this.made[name] ?? 0) + 1
    this.state = make(this.#model, this.#model.pass(this.state, this.#now()))
    const flaw = flawOf(this.state)
    if (flaw !== undefined) throw new Error(`After "${name}": ${flaw}.`)
  }

  /** The place of the first slot that fits. Fails if there is none: the code then did what the model does not know. */
  find(what: string, fits: (slot: Slot) => boolean): number {
    const at = this.state.slots.findIndex(fits)
    if (at < 0) throw new Error(`The model knows nobody who ${what}: ${JSON.stringify(this.state)}`)
    return at
  }

  /** The units that a process may use. */
  heldBy(process: number): number {
    const own = this.state.slots.filter(slot => slot.process === process && this.mayUse(slot, 1))
    return own.reduce((sum, { units }) => sum + units, 0)
  }

  mayUse(slot: Slot, cost: number): boolean {
    return this.#model.mayUse({ ...this.state, now: this.#now() }, slot, cost)
  }
}

/** What a group is about, for the model. */
function kindOf({ mode, terms }: Demand): 'return' | 'take' | 'check' {
  return mode === Mode.SETTLE ? 'return' : terms?.least === undefined ? 'check' : 'take'
}

/** Processes on one store, and the model that follows them. */
function followed(delay: number) {
  const own = passingWorld()
  const follower = new Follower(() => Math.round(own.now() * 1000))
  const losing = new Set<number>()
  let checks = 0
  const wait = (): Promise<void> | undefined =>
    delay === 0 ? undefined : new Promise(resolve => void setTimeout(resolve, delay))

  const told = ({ states: [state = []] }: Evaluation): void => {
    const { now, end, used } = follower.state
    if (now < end) expect([state[1]! - START * 1000, state[2]]).toEqual([end, used])
  }

  const apply = (process: number, demand: Demand, group: Group): Evaluation => {
    const { cost, rule } = demand
    const evaluation = own.store.evaluate(group)
    const isHeard = follower.state.isAlive[process]!
    if (kindOf(demand) === 'check') {
      const before = follower.state
      follower.step('check', (model, state) => model.check(state, rule.limit, cost, isHeard))
      const { spent, lost, end } = follower.state
      expect(spent + lost > before.spent + before.lost || end !== before.end).toBe(evaluation.allowed)
    } else if (kindOf(demand) === 'take') {
      const at = follower.find('asked', ({ kind, process: who }) => kind === 'asked' && who === process)
      follower.step('grant', (model, state) => model.grant(state, at))
      const granted = follower.state.slots.find(
        ({ kind, process: who }) => kind === 'granted' && who === process,
      )
      expect(evaluation.allowed ? evaluation.grants?.[0] : undefined).toBe(granted?.units)
    } else {
      const isIt = ({ kind, units }: Slot): boolean => kind === 'returning' && units === -cost
      const at = follower.find('gives back', slot => isIt(slot) && slot.process === process)
      follower.step('take back', (model, state) => model.takeBack(state, at))
    }
    told(evaluation)
    return evaluation
  }

  const evaluate = async (process: number, group: Group): Promise<Evaluation> => {
    const isAlive = (): boolean => follower.state.isAlive[process]!
    if (!isAlive()) return new Promise(() => {})
    const demand = group.demands[0]!
    const kind = kindOf(demand)
    const part = (demand.chargedTo ?? 0) - START * 1000
    if (kind === 'check') checks++
    if (kind === 'take') follower.step('ask', (model, state) => model.ask(state, process, demand.cost))
    if (kind === 'return') {
      const at = follower.find(
        'holds what is given back',
        slot =>
          slot.kind === 'held' &&
          slot.process === process &&
          slot.units === -demand.cost &&
          slot.end === part,
      )
      follower.step('give back', (model, state) => model.giveBack(state, at))
    }
    await wait()
    const evaluation = apply(process, demand, group)
    const granted = (): number =>
      follower.state.slots.findIndex(slot => slot.kind === 'granted' && slot.process === process)
    const isLost = kind === 'take' && losing.delete(process)
    if (isLost && granted() >= 0) follower.step('lose', (model, state) => model.lose(state, granted()))
    if (isLost) throw new Error('The answer was lost.')
    await wait()
    if (kind === 'take' && granted() >= 0) {
      follower.step('hear', (model, state) => model.hear(state, granted()))
      expect(follower.heldBy(process)).toBeLessThanOrEqual(SHARE * LIMIT)
    }
    return isAlive() ? evaluation : new Promise(() => {})
  }

  const store = (process: number): Store => ({
    kind: 'shared',
    clock: () => own.store.clock(),
    instances: () => COUNT,
    evaluate: group => evaluate(process, group),
    forget: counters => own.store.forget(counters),
  })
  const limiters = Array.from({ length: COUNT }, (_, process): RateLimiter =>
    own.limiter(policy, { store: store(process), onStoreError: 'closed' }),
  )

  /** A caller of a process asks for units. Without a question to the store it gets those that the process holds. */
  const use = async (process: number, cost: number): Promise<void> => {
    const before = checks
    const answer = limiters[process]!.consume('s', { cost })
    if (checks === before) {
      const isIts = (slot: Slot): boolean => slot.process === process && follower.mayUse(slot, cost)
      const at = follower.find('holds what is used', isIts)
      follower.step('use', (model, state) => model.use(state, at, cost))
      expect((await answer).allowed).toBe(true)
    } else void answer.catch(() => {})
  }
  return { ...own, follower, losing, limiters, use }
}

const who = fc.nat(COUNT - 1)
const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      who,
      ms: fc.integer({ min: 1, max: 40 }),
      each: fc.constantFrom(1, 2, 6),
      cost: fc.constantFrom(1, 1, 3),
    }),
  },
  // A lease that meets the end of its window is rare, so histories are led there.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('near the end' as const), ms: fc.nat(60), who }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 30, 150), who }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), who }) },
)

it('every event of random histories of leases is a step of the model', async () => {
  const made: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 6, maxLength: 24, size: 'max' }),
      fc.constantFrom(0, 1, 3),
      async (history, delay) => {
        const { follower, losing, limiters, use, pass, now } = followed(delay)
        const isAlive = (process: number): boolean => follower.state.isAlive[process]!
        const running: Promise<void>[] = []
        for (const each of history) {
          if (each.do === 'ask')
            for (let i = 0; i < each.ms && isAlive(each.who); i++) {
              for (let j = 0; j < each.each; j++) running.push(use(each.who, each.cost))
              await pass(1)
            }
          if (each.do === 'pass') await pass(each.ms)
          if (each.do === 'near the end') await pass(Math.max(0, follower.state.end / 1000 - now() - each.ms))
          if (each.do === 'lose') losing.add(each.who)
          if (each.do === 'die' && isAlive(each.who))
            follower.step('end', (model, state) => model.end(state, each.who))
        }
        const living = limiters.filter((_, process) => isAlive(process))
        const closed = living.map(limiter => limiter.close())
        await pass(50)
        await Promise.all([...closed, ...running])
        for (const [name, times] of Object.entries(follower.made)) made[name] = (made[name] ?? 0) + times
      },
    ),
    { numRuns: isFull ? 100 : 15 },
  )
  // Each step was made, so none is admitted for nothing.
  const steps = ['ask', 'check', 'end', 'give back', 'grant', 'hear', 'lose', 'take back', 'use']
  expect(Object.keys(made).sort()).toEqual(steps)
  expect(made['use']).toBeGreaterThan(1000)
})
