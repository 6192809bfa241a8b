// Plays histories of the real code, each event of which must be a step of the model of the line, with the same questions, the same
// numbers in the store, and starts that are neither early nor late.
import { deepStrictEqual as same } from 'node:assert/strict'

import type { Telemetry } from '../../../src/index.ts'
import type { Evaluation, Group, Store } from '../../../src/databases/index.ts'
import type { VirtualCore } from '../virtual-core.ts'
import { memoryServer } from '../server.ts'
import { kill, living } from '../operators.ts'
import { type Caller, makeWorld, type Process, type World } from '../world.ts'
import { Follower, type Token, Unknowable } from './line-follower.ts'
import { COUNT, type Failure, type History, type Op } from './line-histories.ts'
import type { Mistake } from './line-process.ts'

/** How long after it was given up an answer comes. Milliseconds. */
const LATE_MS = 200
const DAY_MS = 86_400_000

/** What a test may do to the events before the model sees them. */
export interface Forgery {
  /** A rule of the model is another. */
  readonly mistake?: Mistake
  /** Whether the model does not see an event. */
  readonly hides?: 'leave' | 'lose' | 'change'
}

/** Plays a history, and counts in `made` how often each step was made. */
export async function playHistory(
  core: VirtualCore,
  history: History,
  made: Record<string, number>,
  forgery: Forgery = {},
): Promise<void> {
  const traced = new Traced(history, forgery)
  const { limit, burst, seed } = history
  const world = await makeWorld({
    policy: { name: 'api', limit, window: 1, burst },
    processes: 0,
    seed,
    changes: 'registry',
    limiter: {
      instances: COUNT,
      onStoreError: 'closed',
      // Each process hears of its own failures: they are added one after the other.
      get telemetry() {
        return traced.telemetry()
      },
    },
    server: (clock, time) => {
      const server = memoryServer(core)(clock, time)
      if ('then' in server) throw new Error('The server of a trace is there at once.')
      const { store } = server
      const evaluate = (group: Group): Evaluation =>
        traced.decides(group, store.evaluate(group) as Evaluation)
      return Object.assign(server, { store: { ...store, evaluate } })
    },
  })
  try {
    await traced.play(world, made)
  } catch (error) {
    // The history is as it should be up to here.
    if (!(error instanceof Unknowable)) throw error
  } finally {
    await traced.close(world)
    world.end()
  }
}

class Traced {
  readonly #history: History
  readonly #forgery: Forgery
  readonly #tokens = new Map<Group, Token>()
  readonly #failures = new Map<number, Failure>()
  /** Questions of each process that will be given up, the first first. */
  readonly #overdue = Array.from({ length: COUNT }, (): Token[] => [])
  /** Questions of each process that will fail, and that have failed since one was answered. After three in a row it would ask no more. */
  readonly #failing = Array.from({ length: COUNT }, () => 0)
  readonly #failed = Array.from({ length: COUNT }, () => 0)
  #world!: World
  #follower!: Follower
  #isCalm = true
  #isOver = false
  #error: unknown

  constructor(history: History, forgery: Forgery) {
    this.#history = history
    this.#forgery = forgery
  }

  async play(world: World, made: Record<string, number>): Promise<void> {
    const { burst, limit, ops } = this.#history
    this.#world = world
    const micros = (): number => Math.floor(world.time.unixMs() * 1000)
    const numbers = { capacity: burst, limits: Array.from({ length: COUNT }, () => limit) }
    this.#follower = new Follower(numbers, micros, made, this.#forgery.mistake)
    const connect = world.network.connect.bind(world.network)
    world.network.connect = () => this.#watch(world.processes.length, connect())
    const note = world.note.bind(world)
    world.note = (ask, end, facts) => {
      if (ask.end === undefined && this.#isAlive(ask.process)) this.#guard(() => this.#ended(ask.id, end))
      note(ask, end, facts)
    }
    for (let i = 0; i < COUNT; i++) world.addProcess()
    for (const op of ops) {
      this.#do(op)
      await this.#pass(op.do === 'pass' ? op.ms : 0)
    }
    this.#failures.clear()
    for (let passed = 0; world.waiting.length > 0 && passed < 120_000; passed += 500) await this.#pass(500)
    await this.#pass(4000)
    same([world.waiting.length, this.#follower.state.messages.length], [0, 0])
  }

  /** Ends all processes, those that were killed, too: their callers would stay in the next world. */
  async close(world: World): Promise<void> {
    this.#isOver = true
    for (const { limiter } of world.processes) void limiter.close()
    await world.pass(2000)
  }

  async #pass(ms: number): Promise<void> {
    await this.#world.pass(ms)
    if (this.#error !== undefined) throw this.#error
    this.#follower.settled(this.#isCalm)
  }

  /** The real code would take an error of the follower for one of the store. */
  #guard<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.#error ??= error
      return undefined
    }
  }

  #do(op: Op): void {
    const world = this.#world
    const all = living(world)
    const process = all[('who' in op ? op.who : 0) % all.length]!
    if (op.do !== 'ask' && op.do !== 'pass') this.#isCalm = false
    if (op.do === 'ask') for (let i = 0; i < op.count; i++) this.#ask(process, op.cost)
    if (op.do === 'leave') this.#leave(op)
    if (op.do === 'fail') this.#failures.set(process.index, op.how)
    if (op.do === 'change') {
      if (this.#forgery.hides !== 'change')
        this.#follower.step('change', (model, state) => model.change(state, process.index, op.limit))
      process.registry!.update('api', { limit: op.limit, burst: this.#history.burst })
    }
    if (op.do === 'die' && all.length > 1) this.#kill(process)
    if (op.do === 'lose') {
      if (this.#forgery.hides !== 'lose') this.#follower.step('lose', (model, state) => model.wipe(state))
      void world.server.lose()
    }
  }

  #ask({ index }: Process, cost: number): void {
    const maxWaitMs = DAY_MS
    this.#follower.step('ask', (model, state) => model.ask(state, index, cost, maxWaitMs * 1000))
    this.#world.ask(index, { cost, maxWaitMs })
  }

  #leave({ which, whom }: Op & { do: 'leave' }): void {
    const waiting = this.#world.waiting.filter(({ ask }) => this.#isAlive(ask.process))
    const chosen = waiting[which % Math.max(1, waiting.length)]
    if (chosen === undefined) return
    const isLeaving = (caller: Caller): boolean =>
      whom === 'all' || (whom === 'one' ? caller === chosen : caller.ask.process === chosen.ask.process)
    const leaving = waiting.filter(isLeaving)
    for (const { index } of this.#world.processes) {
      const own = leaving.filter(({ ask }) => ask.process === index).map(({ ask }) => ask.id)
      if (own.length > 0 && this.#forgery.hides !== 'leave')
        this.#follower.step('leave', (model, state) => model.leave(state, index, own))
    }
    for (const { leaving: signal } of leaving) signal.abort()
  }

  /** A process ends. What it has sent and the server does not have yet is lost, and so is what the server has sent to it. */
  #kill(process: Process): void {
    const { index } = process
    this.#follower.step('crash', (model, state) => model.crash(state, index))
    kill(this.#world, index)
    for (const { callers } of this.#follower.state.messages.filter(one => one.process === index)) {
      this.#follower.forget(callers)
      this.#follower.about('lose', callers)
    }
  }

  #isAlive(index: number): boolean {
    return !this.#isOver && this.#world.processes[index]?.isAlive !== false
  }

  #ended(own: number, end: string): void {
    if (end === 'started') this.#follower.started(own)
    else if (end === 'refused') this.#follower.refused(own)
    else if (end !== 'left') throw new Error(`A caller ${end}.`)
  }

  #watch(index: number, store: Store): Store {
    const evaluate = async (group: Group): Promise<Evaluation> => {
      if (!this.#isAlive(index)) return new Promise(() => {})
      const token = this.#guard(() => {
        same(group.demands.length, 1)
        return this.#follower.sends(index, group.demands[0]!)
      })
      if (token === undefined) return new Promise(() => {})
      this.#tokens.set(group, token)
      const failure = this.#failing[index]! + this.#failed[index]! < 2 ? this.#failures.get(index) : undefined
      if (failure !== undefined) this.#failing[index]!++
      this.#failures.delete(index)
      return this.#carry(index, token, failure, async () => store.evaluate(group))
    }
    return { ...store, evaluate }
  }

  async #carry(
    index: number,
    token: Token,
    failure: Failure | undefined,
    ask: () => Promise<Evaluation>,
  ): Promise<Evaluation> {
    if (failure === 'question lost') {
      await this.#world.time.sleep(4000)
      return this.#drop(index, token)
    }
    if (failure === 'answer late') this.#overdue[index]!.push(token)
    const evaluation = await ask()
    if (failure === 'answer lost') return this.#drop(index, token)
    if (failure === 'answer late') await this.#world.time.sleep((100 + LATE_MS) * 1000)
    if (!this.#isAlive(index)) return new Promise(() => {})
    this.#guard(() => this.#follower.about('hear', token))
    this.#failed[index] = 0
    return evaluation
  }

  #drop(index: number, token: Token): Promise<never> {
    if (!this.#isAlive(index)) return new Promise(() => {})
    this.#guard(() => {
      this.#follower.about('giveUp', token)
      this.#follower.about('lose', token)
    })
    throw new Error('The connection was reset.')
  }

  /** The hooks of the process that is added now. */
  telemetry(): Pick<Telemetry, 'onStoreError'> {
    const { length } = this.#world.processes
    return { onStoreError: (_error, { failure }) => this.#timedOut(length, failure) }
  }

  /** A process waits no longer. */
  #timedOut(index: number, failure: string): void {
    this.#failing[index]!--
    this.#failed[index]!++
    if (failure !== 'timeout' || !this.#isAlive(index)) return
    const token = this.#overdue[index]!.shift()
    this.#guard(() => {
      if (token === undefined) throw new Error('The store was too slow by itself.')
      this.#follower.about('giveUp', token)
    })
  }

  /** The server decides a question. It must keep what the model's store keeps. */
  decides(group: Group, evaluation: Evaluation): Evaluation {
    const token = this.#tokens.get(group)
    if (token === undefined || this.#isOver) return evaluation
    this.#guard(() => {
      this.#follower.about('arrive', token)
      const { now, states } = evaluation
      const { wait, rate } = this.#follower.find(token)!.answer!
      same([now, evaluation.allowed], [this.#follower.state.now, wait !== undefined])
      const [, at, debt, , pays, , ...line] = states[0] ?? []
      // A bucket that is full is a fresh one, whatever is written of it.
      const isFull = line.length === 0 && Math.max(0, now - (at ?? 0)) * (pays ?? 1) >= (debt ?? 0)
      if (rate === 0 || isFull)
        same([rate === 0 || (this.#follower.kept as number[])[1] === 0, isFull], [true, true])
      else same([at, debt, pays, ...line], this.#follower.kept)
    })
    return evaluation
  }
}
