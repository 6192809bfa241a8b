// Plays histories of the real code, each event of which must be a step of the model of holds, with the same question and the same counts.
import { deepStrictEqual as same } from 'node:assert/strict'

import type { Quota, RateLimiter, Reservation } from '../../src/index.ts'
import { type Demand, type Evaluation, type Group, Mode, type Store } from '../../src/databases/index.ts'
import { endTime, newTime, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'
import { BEGAN, Follower, isOfOnePart, isSame, LIMIT, questionOf, thoseOfSum } from './holds-follower.ts'
import { COUNT, type Failure, type History, MOST, type Op } from './holds-histories.ts'
import type { Fate, HoldsModel, Message, Question, State } from './holds-model.ts'

const TIMEOUT_MS = 100
/** How long after it was given up an answer comes. */
const LATE_MS = 300
const alice = { user: '42' } as const

/** What somebody asked a process for, until it has answered. */
interface Intent {
  readonly process: number
  readonly name: string
  /** Makes the step of the model whose question must come. Undefined for a check, which the model makes in one step. */
  readonly make: ((model: HoldsModel, state: State) => State) | undefined
  readonly cost: number
}

/** Plays a history on a store, and counts in `made` how often each step was made. */
export async function playHistory(
  core: VirtualCore,
  make: (now: () => number) => Store,
  history: History,
  made: Record<string, number>,
): Promise<void> {
  const time = newTime(BEGAN)
  try {
    await new World(
      core,
      make(() => time.unixMs()),
      time,
      history,
      made,
    ).play()
  } finally {
    endTime()
  }
}

interface Process {
  readonly at: number
  readonly limiter: RateLimiter
  failures: Failure[]
  /** What it does one after the other. */
  tail: Promise<unknown>
}

interface Stream {
  /** Its place in the model. */
  readonly at: number
  readonly call: Reservation
  readonly process: Process
  readonly chunk: number
  used: number
}

/** The store was not reached, or its answer was lost. */
class Lost extends Error {}

const never = (): Promise<never> => new Promise(() => {})

class World {
  readonly #core: VirtualCore
  readonly #inner: Store
  readonly #time: VirtualTime
  readonly #history: History
  readonly #follower: Follower
  readonly #day: Quota
  readonly #processes: Process[] = []
  readonly #intents = new Set<Intent>()
  /** The intents whose questions have come, and their calls in the model. */
  readonly #sent = new Map<Intent, number>()
  readonly #pending = new Map<string, Process | undefined>()
  #streams: Stream[] = []
  #travelling = 0
  #error: unknown

  constructor(
    core: VirtualCore,
    inner: Store,
    time: VirtualTime,
    history: History,
    made: Record<string, number>,
  ) {
    this.#core = core
    this.#inner = inner
    this.#time = time
    this.#history = history
    this.#follower = new Follower(history.edgeMs, () => Math.floor(time.unixMs() * 1000), made)
    this.#day = { name: 'day', limit: LIMIT, period: 'daily', anchor: new Date(BEGAN + history.edgeMs) }
    for (let i = 0; i < COUNT; i++) this.#start(LIMIT)
  }

  async play(): Promise<void> {
    for (const [i, each] of this.#history.ops.entries()) {
      this.#do(`${each.do} ${i}`, each)
      await this.#pass(0)
      if (each.do === 'pass') await this.#pass(each.ms)
      if (each.do === 'to an end') {
        const ms = this.#untilEnd(each.micros)
        if (each.sleeps) this.#sleep(ms)
        else await this.#pass(ms)
      }
      if (each.do === 'near the edge')
        await this.#pass(Math.max(0, this.#history.edgeMs - each.ms - this.#time.now / 1000))
    }
    for (const process of this.#processes) process.failures = []
    await this.#pass(2000)
    for (const process of this.#living) this.#chain('probe', process, () => this.#consume(process, 1))
    await this.#pass(2000)
    for (const stream of this.#streams)
      this.#chain(`last ${stream.at}`, stream.process, () => this.#settle(stream, stream.used))
    await this.#pass(8000)
    this.#expectNothingPending()
    const { state } = this.#follower
    // Each settlement has come, unless its period was over before the store was back.
    const missed = state.messages.filter(one => state.isAlive[one.process] && state.now < one.period)
    same(missed, [])
    const quotas = new this.#core.QuotaManager(this.#inner)
    const { used, held } = (await this.#time.outside(() => quotas.checkQuota('42', this.#day))).quota
    same([used, held], [this.#time.unixMs() * 1000 < state.end ? state.used : 0, 0])
    for (const process of this.#living) this.#chain('close', process, () => process.limiter.close())
    await this.#pass(1000)
    this.#expectNothingPending()
  }

  /** Milliseconds until the first of the units that are held end. */
  #untilEnd(micros: number): number {
    const now = Math.floor(this.#time.unixMs() * 1000)
    const next = this.#follower.state.pots.find(({ to }) => to + micros > now)
    return next === undefined ? 0 : (next.to + micros - now) / 1000
  }

  get #living(): Process[] {
    return this.#processes.filter(process => this.#isAlive(process))
  }

  #isAlive({ at }: Process): boolean {
    return this.#follower.state.isAlive[at]!
  }

  #expectNothingPending(): void {
    const names = [...this.#pending].flatMap(([name, process]) =>
      process === undefined || this.#isAlive(process) ? [name] : [],
    )
    same(names, [])
  }

  async #pass(ms: number): Promise<void> {
    await this.#time.run(this.#time.now + Math.round(ms * 1000))
    if (this.#error !== undefined) throw this.#error
  }

  /** Does something after all that a process does before, so that it is known whose question comes. */
  #chain(name: string, process: Process, act: () => Promise<unknown>): void {
    const key = `${name} of ${process.at}`
    this.#pending.set(key, process)
    process.tail = process.tail
      .then(act)
      .catch((error: unknown) => (this.#error ??= error))
      .then(() => this.#pending.delete(key))
  }

  #start(limit: number): void {
    const at = this.#processes.length
    const store: Store = {
      kind: 'followed',
      clock: () => this.#inner.clock?.(),
      evaluate: group => this.#evaluate(process, group),
      forget: counters => this.#inner.forget(counters),
      probe: async () => {},
    }
    const limiter = new this.#core.RateLimiter({
      store,
      policy: { ...this.#day, limit },
      warn: () => {},
      onStoreError: 'closed',
      instances: 1,
      storeTimeout: `${TIMEOUT_MS}ms`,
    })
    const process: Process = { at, limiter, failures: [], tail: Promise.resolve() }
    this.#processes.push(process)
  }

  #do(name: string, each: Op): void {
    const living = this.#living
    const process = living[('who' in each ? each.who : 0) % living.length]!
    const streams = this.#streams
    const stream = 'which' in each ? streams[each.which % Math.max(1, streams.length)] : undefined
    if (each.do === 'reserve') this.#chain(name, process, () => this.#reserve(process, each))
    if (each.do === 'consume') this.#chain(name, process, () => this.#consume(process, each.units))
    if (each.do === 'charge' && stream !== undefined)
      this.#chain(name, stream.process, () => this.#charge(stream, each.units))
    if ((each.do === 'settle' || each.do === 'cancel') && stream !== undefined) {
      this.#streams = streams.filter(other => other !== stream)
      const more = each.do === 'settle' ? each.more : Number.NEGATIVE_INFINITY
      this.#chain(name, stream.process, () => this.#settle(stream, Math.max(0, stream.used + more)))
    }
    if (each.do === 'fail') process.failures = Array.from({ length: each.times }, () => each.how)
    if (each.do === 'grant') this.#grant(each.units)
    if (each.do === 'die' && this.#processes.length < MOST) this.#replace(process, each.limit)
    if (each.do === 'sleep') this.#sleep(each.ms)
  }

  /** All processes sleep. One that waits for the store would give up later than the model does. */
  #sleep(ms: number): void {
    if (this.#travelling === 0) this.#time.stall(Math.round(ms * 1000))
  }

  async #reserve(process: Process, { cost, ttl, least, chunk }: Op & { do: 'reserve' }): Promise<void> {
    const length = ttl === undefined ? 0 : Number.parseInt(ttl) * 1e6
    const fewest = least ? Math.ceil(cost / 4) : cost
    const intent: Intent = {
      process: process.at,
      name: 'reserve',
      make: (model, state) => model.reserve(state, process.at, cost, length, fewest),
      cost,
    }
    const options = { cost, ttl, chunk, least: least ? fewest : undefined }
    const call = await this.#ask(intent, () => process.limiter.reserve(alice, options))
    const at = this.#sent.get(intent)
    same(call.decision.allowed, at !== undefined && this.#follower.state.calls[at]!.phase === 'open')
    if (at !== undefined && call.decision.allowed) this.#streams.push({ at, call, process, chunk, used: 0 })
  }

  async #charge(stream: Stream, units: number): Promise<void> {
    const { at, process, chunk, call } = stream
    const make: Intent['make'] = (model, state) => model.charge(state, at, units, chunk)
    const intent: Intent = { process: process.at, name: 'charge', make, cost: units }
    const isPaid = await this.#ask(
      intent,
      () => call.charge(units),
      // It pays from what it has paid ahead.
      was => was && this.#follower.step('use', make),
    )
    if (isPaid) stream.used += units
    same(this.#follower.state.calls[at]!.used, stream.used)
  }

  async #settle(stream: Stream, actual: number): Promise<void> {
    const { at, process, call } = stream
    this.#streams = this.#streams.filter(other => other !== stream)
    const make: Intent['make'] = (model, state) => model.settle(state, at, actual)
    const intent: Intent = { process: process.at, name: 'settle', make, cost: actual }
    await this.#ask(
      intent,
      () => (actual === 0 ? call.cancel() : call.settle(actual)),
      // There is nothing to tell, or the store is told later.
      () => this.#follower.step('settle', make),
    )
  }

  async #consume(process: Process, cost: number): Promise<void> {
    const intent: Intent = { process: process.at, name: 'check', make: undefined, cost }
    await this.#ask(intent, () => process.limiter.consume(alice, { cost }))
  }

  /** @param unasked called at the end if the store was not asked */
  async #ask<T>(intent: Intent, ask: () => Promise<T>, unasked?: (answer: T) => void): Promise<T> {
    this.#intents.add(intent)
    const answer = await ask()
    this.#intents.delete(intent)
    if (!this.#sent.has(intent)) unasked?.(answer)
    return answer
  }

  #grant(units: number): void {
    const store: Store = {
      clock: () => this.#inner.clock?.(),
      evaluate: group => {
        if (group.demands[0]!.mode === Mode.GRANT)
          this.#follower.step('grant', (model, state) => model.grant(state, units))
        const evaluation = this.#inner.evaluate(group) as Evaluation
        this.#compare(evaluation)
        return evaluation
      },
      forget: counters => this.#inner.forget(counters),
    }
    const granting = new this.#core.QuotaManager(store).grantQuota('42', this.#day, units)
    granting.catch((error: unknown) => (this.#error ??= error))
  }

  #replace(process: Process, limit: number): void {
    const next = this.#processes.length
    this.#follower.step('end', (model, state) => model.end(state, process.at))
    this.#follower.step('begin', (model, state) => model.change(state, next, limit))
    this.#streams = this.#streams.filter(stream => stream.process !== process)
    this.#start(limit)
  }

  /** Errors of the follower end the history. The code under test takes them for an outage. */
  #evaluate(process: Process, group: Group): Evaluation | Promise<Evaluation> {
    if (group.demands[0]!.mode === Mode.PEEK) return this.#inner.evaluate(group)
    if (!this.#isAlive(process)) return never()
    try {
      const evaluation = this.#carry(process, group)
      if ('then' in evaluation)
        evaluation.catch((error: unknown) => {
          if (!(error instanceof Lost)) this.#error ??= error
        })
      return evaluation
    } catch (error) {
      if (!(error instanceof Lost)) this.#error ??= error
      throw error
    }
  }

  #carry(process: Process, group: Group): Evaluation | Promise<Evaluation> {
    const [demand] = group.demands as [Demand]
    same(group.demands.length, 1)
    const questions = this.#questionsOf(process, demand)
    const failure = process.failures.pop()
    if (failure === 'not sent') {
      for (const question of questions) {
        this.#follower.about('refuse', question)
        this.#follower.onWay.delete(question)
      }
      throw Object.assign(new Lost('not sent'), { unsent: true })
    }
    const isNear = this.#history.delay === undefined && (failure === undefined || failure === 'answer lost')
    if (!isNear) return this.#travel(process, group, questions, failure)
    const evaluation = this.#decide(process, group, questions, failure === undefined ? 'heard' : 'lost')
    if (failure === 'answer lost') this.#drop(process, questions)
    this.#hear(questions)
    return evaluation
  }

  /** A question that takes time. */
  async #travel(
    process: Process,
    group: Group,
    questions: readonly Question[],
    failure: Failure | undefined,
  ): Promise<Evaluation> {
    const wait = async (ms: number): Promise<void> => {
      this.#travelling++
      await this.#time.sleep(ms * 1000)
      this.#travelling--
    }
    const delay = this.#history.delay ?? 0
    const isLateQuestion = failure === 'question late'
    if (failure === 'question lost' || isLateQuestion) {
      await wait(TIMEOUT_MS - 1)
      this.#giveUp(process, questions)
    } else await wait(delay)
    if (failure === 'question lost') {
      this.#lose(questions)
      return never()
    }
    if (isLateQuestion) await wait(LATE_MS)
    const fate = failure === undefined ? 'heard' : failure === 'answer lost' ? 'lost' : 'late'
    const evaluation = this.#decide(process, group, questions, this.#isAlive(process) ? fate : 'lost')
    if (failure === 'answer lost') this.#drop(process, questions)
    if (failure === 'answer late') {
      await wait(TIMEOUT_MS - 1 - delay)
      this.#giveUp(process, questions)
      await wait(LATE_MS)
    }
    if (failure === undefined) await wait(delay)
    this.#hear(questions)
    return this.#isAlive(process) ? evaluation : never()
  }

  #drop(process: Process, questions: readonly Question[]): never {
    this.#giveUp(process, questions)
    this.#lose(questions)
    throw new Lost('The answer was lost.')
  }

  #giveUp(process: Process, questions: readonly Question[]): void {
    for (const question of questions)
      if (this.#isAlive(process) && this.#follower.isUnderWay(question))
        this.#follower.about('giveUp', question)
  }

  #lose(questions: readonly Question[]): void {
    for (const question of questions)
      if (this.#follower.isUnderWay(question)) this.#follower.about('lose', question)
  }

  #hear(questions: readonly Question[]): void {
    for (const question of questions)
      if (this.#follower.isUnderWay(question)) this.#follower.about('hear', question)
  }

  #decide(process: Process, group: Group, questions: readonly Question[], fate: Fate): Evaluation {
    const [{ cost, rule }] = group.demands as [Demand]
    const before = this.#follower.state
    const evaluation = this.#inner.evaluate(group) as Evaluation
    for (const question of questions) this.#follower.about('arrive', question)
    if (questions.length === 0) {
      this.#follower.step('check', (model, state) => model.check(state, process.at, cost, fate, rule.limit))
      const { used, end } = this.#follower.state
      same(used !== before.used || end !== before.end, evaluation.allowed)
    }
    const answer = this.#follower.state.messages.find(one => one.question === questions[0])?.answer
    if (answer !== undefined) {
      const units = evaluation.allowed ? (evaluation.grants?.[0] ?? cost) : 0
      same([evaluation.allowed, units], [answer.allowed, answer.units])
    }
    this.#compare(evaluation)
    return evaluation
  }

  /** The store must count what the model counts. */
  #compare({ now, states: [state = []] }: Evaluation): void {
    const [, end, used, granted = 0, ...pots] = state as number[]
    if (this.#follower.state.now >= this.#follower.state.end) return
    same(now, this.#follower.state.now)
    const live = pots.flatMap((to, i) => (i % 2 === 0 && now < to ? [to, pots[i + 1]] : []))
    same([end, used, granted, ...live], this.#follower.counts)
  }

  /** The questions of the model for which a demand stands: none for a check, several if a process tells their sum. */
  #questionsOf(process: Process, demand: Demand): Question[] {
    const told = questionOf(demand)
    const own = [...this.#intents].filter(one => one.process === process.at && !this.#sent.has(one))
    for (const intent of own) {
      const { make, name, cost } = intent
      if (make === undefined) {
        if (
          !isSame(
            { ...questionOf(demand), cost, tells: false, length: 0, claim: undefined } as Question,
            told,
          )
        )
          continue
        this.#sent.set(intent, -1)
        return []
      }
      const found = this.#try(name, make, told)
      if (found === undefined) continue
      this.#sent.set(intent, found.calls[0]!)
      return [found.question]
    }
    const waiting = this.#follower.waiting(process.at).filter(({ question }) => isOfOnePart(question, told))
    const all = told.tells === true ? thoseOfSum(waiting, told) : undefined
    if (all !== undefined) {
      for (const question of all) this.#follower.onWay.add(question)
      return all
    }
    const { state } = this.#follower
    const now = Math.floor(this.#time.unixMs() * 1000)
    const kept = state.calls.flatMap(({ process: who, phase, isBusy, held, length, to, since }, at) => {
      const isIts = who === process.at && phase === 'open' && !isBusy && held > 0
      const isDue = now - since >= length / 3 - 50_000
      return isIts && isDue && length === told.length && to === (told.claim?.to ?? 0) ? [at] : []
    })
    const keep = kept.length > 0 && this.#try('keep', (model, now) => model.keep(now, process.at, kept), told)
    if (keep) return [keep.question]
    throw new Error(`The model knows no such question: ${JSON.stringify([told, state])}`)
  }

  /** Makes a step if its question is the one that was asked. */
  #try(name: string, make: Exclude<Intent['make'], undefined>, told: Partial<Question>): Message | undefined {
    const { messages } = this.#follower.preview(make)
    const found = messages.at(-1)
    if (messages.length === this.#follower.state.messages.length || !isSame(found!.question, told))
      return undefined
    this.#follower.step(name, make)
    const message = this.#follower.state.messages.at(-1)!
    this.#follower.onWay.add(message.question)
    return message
  }
}
