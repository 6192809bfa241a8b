// Processes whose callers wait under several policies, on the network and in the virtual time of a world of one line.
import type { Decision, RateLimiterOptions } from '../../../src/index.ts'
import type { Grant } from '../journal.ts'
import { type Delays, Network } from '../network.ts'
import { Random } from '../random.ts'
import { memoryServer, type Server } from '../server.ts'
import { endTime, loadCore, newTime, type Operators, type VirtualCore } from '../virtual-core.ts'
import type { VirtualTime } from '../virtual-time.ts'
import { viewOf } from '../world.ts'
import { type Counter, counterOf, type Given, type Units } from './counters.ts'
import type { Job } from './ideal.ts'

/** Options of a town. */
export interface TownOptions {
  readonly policies: readonly Given[]
  readonly processes?: number
  readonly seed?: number
  /** One way of the network, in microseconds. */
  readonly delays?: Delays
  readonly limiter?: Partial<RateLimiterOptions>
  /** Whether the one process holds its store itself, which then answers at once. */
  readonly isDirect?: boolean
  /** Whether operators have a `Control`. */
  readonly isControlled?: boolean
  /** How long a call is in flight, in milliseconds. */
  readonly heldMs?: number
}

/** A process of a town. */
export interface Resident {
  readonly index: number
  readonly limiter: InstanceType<VirtualCore['RateLimiter']>
  readonly control: Operators | undefined
  isAlive: boolean
}

/** A call, as its client sees it. All instants are microseconds. */
export interface Call {
  readonly id: number
  readonly process: number
  readonly client: string
  readonly units: Units
  readonly askedAt: number
  readonly maxWait: number
  readonly leaving: AbortController
  end?: 'started' | 'refused' | 'left' | 'closed' | 'failed'
  endedAt?: number
  reason?: string
  policy?: string
  /** What a refusal was told. */
  retryAfter?: number
  /** When a call that started was over. */
  doneAt?: number
  decision?: Decision
}

/** Units that may start beyond the rule of a counter, of all clients if it names none. */
export type TownGrant = Grant & { readonly counter: string; readonly client?: string }

/** How a caller asks. */
export interface AskOptions {
  readonly process?: number
  readonly client?: string
  readonly units?: Units
  /** Default an hour. */
  readonly maxWaitMs?: number
  /** `delay` waits as a request that an adapter holds. Default `acquire`, or `run` where calls are held in flight. */
  readonly by?: 'acquire' | 'run' | 'delay' | undefined
}

const HOUR_MS = 3_600_000

/** A town. Make one with {@link makeTown}, and end it with `end()`. */
export class Town {
  readonly calls: Call[] = []
  readonly processes: Resident[] = []
  readonly counters: readonly Counter[]
  /** The callers that ask, for the ideal. */
  readonly jobs: Job[] = []
  /** What may start beyond the rules, because something changed. */
  readonly grants: TownGrant[] = []
  /** For how long an old limit may still hold somewhere, in microseconds. */
  hear = 0
  /** Whether something happened besides callers. */
  isChanged = false
  /** How often the store was asked. */
  asked = 0
  isOver = false
  /** Until when steady callers ask again. Microseconds. */
  until = Number.POSITIVE_INFINITY
  readonly time: VirtualTime
  readonly network: Network
  readonly core: VirtualCore
  readonly random: Random
  readonly options: TownOptions
  readonly delays: Delays
  readonly #server: Server

  constructor(core: VirtualCore, time: VirtualTime, server: Server, options: TownOptions) {
    this.core = core
    this.time = time
    this.options = options
    this.#server = server
    this.random = new Random(options.seed ?? 1)
    this.delays = options.delays ?? { least: 1500, most: 1500 }
    this.network = new Network(time, this.random, server, this.delays)
    this.network.onArrival = ({ method }) => void (this.asked += method === 'evaluate' ? 1 : 0)
    this.counters = options.policies.map(counterOf)
    for (let i = 0; i < (options.processes ?? 1); i++) this.addProcess()
  }

  /** Starts one more process. */
  addProcess(): Resident {
    const { policies, processes = 1, limiter: own, isControlled = false, isDirect } = this.options
    const { RateLimiter, Control } = this.core
    const store = isDirect === true ? this.#server.store : this.network.connect()
    const warn = (): void => {}
    const control = isControlled ? new Control!({ store, warn }) : undefined
    const shared = { store, policy: policies, warn, instances: processes, exemptPrivateIps: false }
    const limiter = new RateLimiter({ ...shared, ...(control && { control }), ...own })
    const resident = { index: this.processes.length, limiter, control, isAlive: true }
    this.processes.push(resident)
    return resident
  }

  /** Lets a caller ask once. */
  ask({ process = 0, client = 'c0', units = 1, maxWaitMs = HOUR_MS, by }: AskOptions = {}): Call {
    const call = this.#ask({ process, client, units, maxWaitMs, by })
    this.jobs.push({
      client,
      at: call.askedAt,
      maxWait: call.maxWait,
      units: () => units,
      isSteady: false,
    })
    return call
  }

  /** Lets a worker ask again after each start, and after what it was told when it is refused. */
  work(
    options: Omit<AskOptions, 'units'> & {
      readonly units?: (n: number) => Units
      readonly quit?: () => boolean
    },
  ): void {
    const { units = () => 1, client = 'c0', maxWaitMs = HOUR_MS } = options
    this.jobs.push({ client, at: this.time.now, maxWait: maxWaitMs * 1000, units, isSteady: true })
    void this.#work(options, units)
  }

  async #work(
    options: Omit<AskOptions, 'units'> & { readonly quit?: () => boolean },
    units: (n: number) => Units,
  ): Promise<void> {
    for (let n = 0; !this.isOver && this.time.now < this.until;) {
      if (options.quit?.() === true || this.processes[options.process ?? 0]?.isAlive === false) return
      const call = this.#ask({ ...options, units: units(n) })
      await settled(call)
      if (call.end === 'started') n++
      else if (call.end === 'left' || call.end === 'closed' || call.end === 'failed') return
      else if (call.retryAfter === undefined || !Number.isFinite(call.retryAfter)) return
      else await this.#rest(Math.min(this.#mostRest, Math.max(1000, call.retryAfter)))
    }
  }

  // The wait for requests in flight is told as if all were lost.
  get #mostRest(): number {
    return this.options.heldMs === undefined ? Number.POSITIVE_INFINITY : 1_000_000
  }

  // The timer of a caller that comes back is not one that Halt has left.
  #rest(micros: number): Promise<void> {
    return new Promise(resolve => void this.time.after(micros, resolve).unref())
  }

  #ask({ process = 0, client = 'c0', units = 1, maxWaitMs = HOUR_MS, by }: AskOptions): Call {
    const { limiter } = this.processes[process]!
    const leaving = new AbortController()
    const call: Call = {
      id: this.calls.length,
      process,
      client,
      units,
      askedAt: this.time.now,
      maxWait: maxWaitMs * 1000,
      leaving,
    }
    this.calls.push(call)
    const { heldMs } = this.options
    const options = { cost: units, maxWait: `${maxWaitMs}ms`, signal: leaving.signal } as const
    const view = viewOf(client)
    const decided = (decision: Decision): void => this.#decided(call, decision)
    const work = async (decision: Decision): Promise<void> => {
      decided(decision)
      if (heldMs !== undefined) await this.time.sleep(heldMs * 1000)
      call.doneAt = this.time.now
    }
    const way = by ?? (heldMs === undefined ? 'acquire' : 'run')
    const done =
      way === 'run'
        ? limiter.run(view, work, options)
        : way === 'acquire'
          ? limiter.acquire(view, options).then(decided)
          : Promise.resolve(limiter.acquireView(view, options)).then(decided)
    done.catch((error: unknown) => this.#failed(call, error))
    return call
  }

  /** The callers that have no answer yet. */
  get waiting(): Call[] {
    return this.calls.filter(({ end }) => end === undefined)
  }

  /** The calls that started, in order. */
  get starts(): Started[] {
    return this.calls
      .filter((call): call is Started => call.end === 'started')
      .toSorted((a, b) => a.endedAt - b.endedAt)
  }

  /** Milliseconds since the town began. */
  get nowMs(): number {
    return this.time.now / 1000
  }

  /** Lets milliseconds pass. */
  pass(ms: number): Promise<void> {
    return this.time.run(this.time.now + Math.round(ms * 1000))
  }

  /** Lets time pass for what needs the network. */
  async soon<T>(promise: Promise<T>, ms = 50): Promise<T> {
    const state = { isOver: false }
    const over = (): void => void (state.isOver = true)
    promise.then(over, over)
    for (let passed = 0; passed < ms && !state.isOver; passed += 5) await this.pass(5)
    for (let i = 0; i < 50 && !state.isOver; i++) await this.time.turn()
    if (!state.isOver) throw new Error(`It is still under way after ${ms} ms.`)
    return promise
  }

  /** Ends the town: its callers leave, and the process gets its own time back. */
  end(): void {
    this.isOver = true
    for (const { index } of this.processes) this.network.cut(index)
    for (const { leaving } of this.waiting) leaving.abort()
    endTime()
  }

  #decided(call: Call, decision: Decision): void {
    if (call.end !== undefined) return
    const { allowed, reason, retryAfterMs, policy } = decision
    const told = { reason, policy, retryAfter: Math.round(retryAfterMs * 1000), decision }
    Object.assign(call, { end: allowed ? 'started' : 'refused', endedAt: this.time.now }, told)
    listeners.get(call)?.()
  }

  #failed(call: Call, thrown: unknown): void {
    const error = thrown as { readonly code?: unknown; readonly decision?: Decision; readonly name?: unknown }
    if (error.code === 'HALT_E_LIMITED' && error.decision !== undefined)
      return this.#decided(call, error.decision)
    if (call.end !== undefined) return
    const end = error.code === 'HALT_E_CLOSED' ? 'closed' : error.name === 'AbortError' ? 'left' : 'failed'
    Object.assign(call, { end, endedAt: this.time.now, reason: String(thrown) })
    listeners.get(call)?.()
  }
}

/** A call that started. */
export type Started = Call & { readonly endedAt: number }

const listeners = new WeakMap<Call, () => void>()

/** Resolves when a call has an answer. */
function settled(call: Call): Promise<void> {
  return call.end === undefined
    ? new Promise(resolve => void listeners.set(call, resolve))
    : Promise.resolve()
}

/** Makes a town. */
export async function makeTown(options: TownOptions): Promise<Town> {
  const core = await loadCore()
  const { size, alarms } = core.waitingRoom
  if (size + alarms.size > 0)
    throw new Error(`An earlier world has left ${size} callers, ${alarms.size} alarms.`)
  const time = newTime()
  const server = await time.outside(() => memoryServer(core)(() => time.unixMs(), time))
  return new Town(core, time, server, options)
}
