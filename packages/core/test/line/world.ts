// Processes that share a store and whose callers wait in one line: simulated clients, operators and faults, and a journal of all.
import type { Decision, RateLimiterOptions, RatePolicy, RequestView } from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { type Ask, journal, type Journal } from './journal.ts'
import { type Arrival, type Delays, Network } from './network.ts'
import { Random } from './random.ts'
import { type MakeServer, memoryServer, type Server } from './server.ts'
import { endTime, loadCore, newTime, type Operators, type VirtualCore } from './virtual-core.ts'
import type { VirtualTime } from './virtual-time.ts'

/** The policy of a world. */
export type WorldPolicy = RatePolicy & {
  readonly limit: number
  readonly window: number
  readonly burst: number
}

/** Options of a world. */
export interface WorldOptions {
  readonly policy: WorldPolicy
  readonly processes?: number
  readonly seed?: number
  readonly delays?: Delays
  /** The server; by default one in memory. */
  readonly server?: MakeServer
  /** Whether the limiters stand directly on the server's store, as on a store in memory. */
  readonly isDirect?: boolean
  /** How operators change the policy. Default `never`. */
  readonly changes?: 'control' | 'registry' | 'never'
  readonly limiter?: Partial<RateLimiterOptions>
}

/** A process of a world. */
export interface Process {
  readonly index: number
  readonly limiter: InstanceType<VirtualCore['RateLimiter']>
  readonly control: Operators | undefined
  readonly registry: InstanceType<VirtualCore['PolicyRegistry']> | undefined
  /** False once it was closed or killed. */
  isAlive: boolean
  isKilled: boolean
}

/** A caller of a world, while it waits and after. */
export interface Caller {
  readonly ask: Ask
  readonly user: string
  readonly leaving: AbortController
  decision?: Decision
  isSettled: boolean
  readonly done: Promise<void>
}

/** How a caller asks. */
export interface AskOptions {
  readonly cost?: number
  /** Milliseconds. Default 30 s. */
  readonly maxWaitMs?: number
  readonly user?: string
  /** `check` does not wait; `run` and `acquire` do. */
  readonly by?: 'acquire' | 'run' | 'check'
}

/** The address of all clients. It is not exempt. */
export const ADDRESS = '203.0.113.7'

/** A world. Make one with {@link makeWorld}, and end it with `end()`. */
export class World {
  readonly book: Journal
  readonly arrivals: Arrival[] = []
  readonly callers: Caller[] = []
  readonly processes: Process[] = []
  readonly warnings: string[] = []
  /** By how many milliseconds the server's clock was set back so far. */
  setBackMs = 0
  /** The policy as it was set last. */
  policy: WorldPolicy
  /** Whether the world has ended. */
  isOver = false
  #ends = 0
  #asking: number | undefined

  readonly core: VirtualCore
  readonly time: VirtualTime
  readonly server: Server
  readonly network: Network
  readonly random: Random
  readonly #options: WorldOptions

  constructor(core: VirtualCore, time: VirtualTime, server: Server, random: Random, options: WorldOptions) {
    this.core = core
    this.time = time
    this.server = server
    this.random = random
    this.#options = options
    this.policy = options.policy
    this.book = journal(options.policy.window * 1e6, options.policy.limit, options.policy.burst)
    this.network = new Network(time, random, server, options.delays ?? { least: 500, most: 5000 })
    this.network.callerOf = () => this.#asking
    this.network.onArrival = arrival => void this.arrivals.push(arrival)
    for (let i = 0; i < (options.processes ?? 1); i++) this.addProcess()
  }

  /** Starts one more process. */
  addProcess(): Process {
    const { changes = 'never', isDirect = false, limiter: own, processes = 1 } = this.#options
    const { RateLimiter, Control, PolicyRegistry } = this.core
    const store: Store = isDirect ? this.server.store : this.network.connect()
    const warn = ({ code }: { readonly code: string }): void => void this.warnings.push(code)
    const control = changes === 'control' ? new Control!({ store, warn }) : undefined
    const registry = changes === 'registry' ? new PolicyRegistry([this.policy]) : undefined
    const policy = registry?.resolver(() => this.policy.name) ?? this.policy
    const shared = { store, policy, warn, instances: processes, exemptPrivateIps: false }
    const limiter = new RateLimiter({ ...shared, ...(control === undefined ? {} : { control }), ...own })
    const process = {
      index: this.processes.length,
      limiter,
      control,
      registry,
      isAlive: true,
      isKilled: false,
    }
    this.processes.push(process)
    return process
  }

  /** Lets a client of a process ask. */
  ask(
    process: number,
    { cost = 1, maxWaitMs = 30_000, user = 'u0', by = 'acquire' }: AskOptions = {},
  ): Caller {
    const { limiter } = this.processes[process]!
    const ask: Ask = {
      id: this.book.asks.length,
      process,
      cost,
      user,
      askedAt: this.time.now,
      waits: by !== 'check',
      maxWait: maxWaitMs * 1000,
    }
    this.book.asks.push(ask)
    const leaving = new AbortController()
    const options = { cost, maxWait: `${maxWaitMs}ms`, signal: leaving.signal } as const
    const started = (decision: Decision): void => this.#decided(caller, decision)
    const failed = (error: unknown): void => this.#failed(caller, error)
    this.#asking = ask.id
    const view = viewOf(user)
    const call = {
      acquire: () => limiter.acquire(view, options).then(started),
      // The start is the instant at which the work begins.
      run: () => limiter.run(view, started, options),
      check: () => limiter.check(view, { cost }).then(started),
    }[by]()
    this.#asking = undefined
    const caller: Caller = { ask, user, leaving, isSettled: false, done: call.catch(failed) }
    this.callers.push(caller)
    return caller
  }

  /** The callers that have no answer yet. */
  get waiting(): Caller[] {
    return this.callers.filter(({ ask }) => ask.end === undefined)
  }

  /** Lets milliseconds pass. */
  pass(ms: number): Promise<void> {
    return this.time.run(this.time.now + Math.round(ms * 1000))
  }

  /** Notes the end of a call, unless the process was killed. */
  note(ask: Ask, end: NonNullable<Ask['end']>, facts: Partial<Ask> = {}): void {
    if (ask.end !== undefined) return
    Object.assign(ask, { end, endedAt: this.time.now, endOrder: this.#ends++ }, facts)
  }

  /** Ends the world: its callers leave, and the process gets its own time back. */
  end(): void {
    this.isOver = true
    for (const { index } of this.processes) this.network.cut(index)
    for (const { leaving } of this.waiting) leaving.abort()
    endTime()
  }

  #decided(caller: Caller, decision: Decision): void {
    caller.decision = decision
    const { allowed, reason, degraded, retryAfterMs } = decision
    const facts = { reason, degraded, retryAfter: Math.round(retryAfterMs * 1000) }
    this.note(caller.ask, allowed ? 'started' : 'refused', facts)
  }

  #failed(caller: Caller, thrown: unknown): void {
    const error = thrown as { readonly code?: unknown; readonly decision?: Decision; readonly name?: unknown }
    if (error.code === 'HALT_E_LIMITED' && error.decision !== undefined)
      return this.#decided(caller, error.decision)
    if (error.code === 'HALT_E_CLOSED') return this.note(caller.ask, 'closed')
    if (error.name === 'AbortError') return this.note(caller.ask, 'left')
    this.note(caller.ask, 'failed', { reason: String(thrown) })
  }
}

/** Makes a world. */
export async function makeWorld(options: WorldOptions): Promise<World> {
  const core = await loadCore()
  const { size, alarms } = core.waitingRoom
  // Their alarms would ring in this world, and each would ask a store that is no more.
  if (size + alarms.size > 0)
    throw new Error(`An earlier world has left ${size} callers, ${alarms.size} alarms.`)
  const time = newTime()
  const random = new Random(options.seed ?? 1)
  const made: { server?: Server } = {}
  const clock = (): number => time.unixMs() + (made.server?.skewMs ?? 0)
  made.server = await time.outside(() => (options.server ?? memoryServer(core))(clock, time))
  return new World(core, time, made.server, random, options)
}

/** A request of a user, from an address that is not exempt. */
export function viewOf(user: string): RequestView {
  return { method: 'GET', path: '/things', ip: ADDRESS, headers: {}, request: { user: { id: user } } }
}
