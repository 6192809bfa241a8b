// The way from one process to a store that other processes use as well: it can fail in every way in which a network or a server does.
import { AsyncLocalStorage } from 'node:async_hooks'

import {
  type Demand,
  type Group,
  Mode,
  type Store,
  type StoreMark,
  type Evaluation,
} from '../../src/databases/index.ts'

/**
 * How a wire fails:
 *
 * - `refused`: no call is sent; `busy`: the server answers each with an error, and applies nothing;
 * - `slow`: the answer comes after the deadline; `late`: the call itself arrives after it, as does each that follows;
 * - `before`: the connection breaks before a call arrives; `after`: it breaks before its answer arrives;
 * - `hung`: a call neither arrives nor is answered.
 */
export type WireFault = 'refused' | 'busy' | 'slow' | 'late' | 'before' | 'after' | 'hung'

/** A check that a history makes, and what became of the call by which the store was asked. */
export class Asked {
  /** By counter, what the store has charged, or will when the request ends. Undefined if it has not admitted the check. */
  charged: Map<string, Charged> | undefined
  /** Whether the process was told the answer, in time or later. */
  isTold = false
  /** Whether the process cannot know whether the store was asked. */
  isInDoubt = false
}

/** Units that a store charges for a check. */
export interface Charged {
  readonly units: number
  /** Whether they are charged only when the request has ended. */
  readonly isLater: boolean
}

const asking = new AsyncLocalStorage<Asked>()

/** Makes a check. What the store charges for it is noted. */
export async function ask<T>(asked: Asked, check: () => Promise<T>): Promise<T> {
  return asking.run(asked, check)
}

/** The deadline of the limiters, in milliseconds, and more than that. */
const DEADLINE = 100
const LONG = 300

/** The names of counters whose units a test counts, and a demand about each. */
export type SeenCounters = Map<string, Demand>

/** A store as one process sees it. */
export class FailingWire implements Store {
  readonly kind: string = 'wire'
  fault: WireFault | undefined
  readonly #store: Store
  readonly #seen: SeenCounters
  readonly #delay: number
  readonly #isAsked: (demand: Demand) => boolean
  readonly #reconnected: (() => void)[] = []
  readonly #mark: StoreMark = {
    read: () => this.#send(undefined, () => this.#store.mark!('').read()).then(text => text),
  }
  #lastArrival = 0
  // Counts the connections. What was under way on an earlier one is lost.
  #connection = 0

  /**
   * @param delay how long each way takes, in milliseconds
   * @param isAsked whether a demand of a check is one that the history itself makes. Default: those without terms
   */
  constructor(
    store: Store,
    seen: SeenCounters,
    delay: number,
    isAsked: (demand: Demand) => boolean = ({ terms }) => terms === undefined,
  ) {
    this.#store = store
    this.#seen = seen
    this.#delay = delay
    this.#isAsked = isAsked
  }

  /** Breaks the connection, as a server does that restarts. Calls that are under way get no answer. */
  break(): void {
    this.#connection++
    this.fault = 'refused'
  }

  /** Ends the failure. */
  heal(): void {
    if (this.fault === undefined) return
    this.fault = undefined
    for (const listener of this.#reconnected) listener()
  }

  mark(): StoreMark {
    return this.#mark
  }

  clock(): number | undefined {
    return this.#store.clock?.()
  }

  onReconnect(listener: () => void): void {
    this.#reconnected.push(listener)
  }

  async probe(): Promise<void> {
    await this.#send(undefined, () => undefined)
  }

  async forget(counters: Parameters<Store['forget']>[0]): Promise<number> {
    return this.#send(undefined, () => this.#store.forget(counters) as number)
  }

  async evaluate(group: Group): Promise<Evaluation> {
    const isCheck = group.demands.some(
      demand => (demand.mode === Mode.CHARGE || demand.mode === Mode.DEFER) && this.#isAsked(demand),
    )
    const asked = isCheck ? asking.getStore() : undefined
    return this.#send(asked, () => {
      const evaluation = this.#store.evaluate(group) as Evaluation
      for (const demand of group.demands) this.#seen.set(`${demand.subject} ${demand.rule.counter}`, demand)
      if (asked !== undefined && evaluation.allowed) asked.charged = unitsOf(group, evaluation)
      return evaluation
    })
  }

  /** @param asked undefined for a call of which the process must know what became, so that its connection never breaks */
  async #send<T>(asked: Asked | undefined, serve: () => T): Promise<T> {
    const fault = asked === undefined && isLossy(this.fault) ? 'refused' : this.fault
    if (fault === 'refused') throw failure('connect ECONNREFUSED', { unsent: true })
    const connection = this.#connection
    const sent = performance.now()
    await this.#arrival(fault === 'late' ? LONG : this.#delay)
    // An answer that comes after the deadline is none, unless it tells of a charge.
    if (asked !== undefined && (isLossy(fault) || performance.now() - sent >= DEADLINE))
      asked.isInDoubt = true
    if (connection !== this.#connection) throw failure('read ECONNRESET')
    if (fault === 'busy') throw failure('LOADING', { reply: 'LOADING' })
    if (fault === 'hung') return new Promise<T>(() => {})
    if (fault === 'before') throw failure('read ECONNRESET')
    const answer = serve()
    await sleep(fault === 'slow' ? LONG : this.#delay)
    if (fault === 'after' || connection !== this.#connection) throw failure('read ECONNRESET')
    if (asked !== undefined) asked.isTold = true
    return answer
  }

  /** Waits until a call arrives: never before one that was sent earlier. */
  async #arrival(ms: number): Promise<void> {
    const now = performance.now()
    this.#lastArrival = Math.max(this.#lastArrival, now + ms)
    await sleep(this.#lastArrival - now)
  }
}

function isLossy(fault: WireFault | undefined): boolean {
  return fault === 'before' || fault === 'after' || fault === 'hung'
}

function unitsOf(
  { demands }: Group,
  { passes, repeated, grants }: Evaluation,
): Map<string, Charged> | undefined {
  const units = new Map<string, Charged>()
  for (const [i, { subject, rule, mode, cost }] of demands.entries())
    if (passes[i] === true && (!repeated || rule.code === 'c') && mode !== Mode.PEEK && cost > 0)
      units.set(`${subject} ${rule.counter}`, { units: grants?.[i] ?? cost, isLater: mode === Mode.DEFER })
  return units.size === 0 ? undefined : units
}

async function sleep(ms: number): Promise<void> {
  if (ms > 0) await new Promise(resolve => void setTimeout(resolve, ms))
}

function failure(message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), { failure: 'unavailable' }, fields)
}
