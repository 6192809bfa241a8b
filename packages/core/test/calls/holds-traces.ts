// Plays histories of the real code, each event of which must be a step of the model of holds, with the same question and the same counts.
import { deepStrictEqual as same } from 'node:assert/strict'

import fc from 'fast-check'

import type { Quota, RateLimiter, Reservation } from '../../src/index.ts'
import { type Demand, type Evaluation, type Group, Mode, type Store } from '../../src/databases/index.ts'
import { endTime, newTime, ORIGIN, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'
import {
  begin,
  type Fate,
  flawOf,
  HoldsModel,
  type Message,
  type Question,
  type State,
} from './holds-model.ts'

// What is decided without the store goes by the time since the process began.
const BEGAN = ORIGIN
const DAY_MS = 86_400_000
const LIMIT = 1000
const TIMEOUT_MS = 100
/** How long after it was given up an answer comes. */
const LATE_MS = 300
/** Processes that live at first, and those that take the place of one that ended. */
const [COUNT, MOST] = [3, 8]
const alice = { user: '42' } as const

/** What becomes of the next questions of a process. */
type Failure = 'not sent' | 'question lost' | 'answer lost' | 'answer late' | 'question late'

type Op =
  | { do: 'reserve'; who: number; cost: number; ttl: string | undefined; least: boolean; chunk: number }
  | { do: 'charge'; which: number; units: number }
  | { do: 'settle'; which: number; more: number }
  | { do: 'cancel'; which: number }
  | { do: 'consume'; who: number; units: number }
  | { do: 'fail'; who: number; how: Failure; times: number }
  | { do: 'die'; who: number; limit: number }
  | { do: 'grant'; units: number }
  | { do: 'pass' | 'near the edge' | 'sleep'; ms: number }
  | { do: 'to an end'; micros: number; sleeps: boolean }

/** A history, and the world in which it is played. */
export interface History {
  readonly ops: readonly Op[]
  /** When the period ends. */
  readonly edgeMs: number
  /** How long a question and an answer take. Undefined: the store answers at once, as one in this process. */
  readonly delay: number | undefined
}

const who = fc.nat(MOST)
const which = fc.nat(30)
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      who,
      cost: fc.integer({ min: 1, max: 400 }),
      ttl: fc.constantFrom('1s', '1s', '3s', undefined),
      least: fc.boolean(),
      chunk: fc.constantFrom(1, 70),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('charge' as const),
      which,
      units: fc.integer({ min: 1, max: 150 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which,
      more: fc.integer({ min: -50, max: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('consume' as const),
      who,
      units: fc.integer({ min: 1, max: 200 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      who,
      how: fc.constantFrom<Failure>(
        'not sent',
        'question lost',
        'answer lost',
        'answer late',
        'question late',
      ),
      times: fc.constantFrom(1, 1, 4),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('die' as const), who, limit: fc.constantFrom(700, 1000, 1300) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('grant' as const), units: fc.constantFrom(100, 300) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 20, 110, 400, 1200, 4000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('near the edge' as const), ms: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.constantFrom(900, 5000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('to an end' as const),
      micros: fc.constantFrom(-1, 0, 0, 1),
      sleeps: fc.boolean(),
    }),
  },
)

export const histories: fc.Arbitrary<History> = fc.record({
  ops: fc.array(op, { minLength: 8, maxLength: 50, size: 'max' }),
  edgeMs: fc.constantFrom(2000, 6000, 60_000),
  delay: fc.constantFrom(undefined, 0, 3, 30),
})

/** The model, led by what the real code does. */
class Follower {
  readonly #model: HoldsModel
  readonly #micros: () => number
  state: State
  /** How often each step was made. */
  readonly made: Record<string, number>
  /** Questions that are on their way. All others wait to be sent. */
  readonly onWay = new Set<Question>()

  constructor(edgeMs: number, micros: () => number, made: Record<string, number>) {
    // Dates are whole milliseconds.
    const [edge, day] = [Math.floor(BEGAN + edgeMs) * 1000, DAY_MS * 1000]
    this.#micros = micros
    this.made = made
    this.#model = new HoldsModel({
      periodEnd: now => edge + Math.max(0, Math.floor((now - edge) / day) + 1) * day,
      // The first multiple of a power of two that is at least the whole time away. The power is at least an eighth of the time.
      holdEnd: (now, length) => {
        const slice = 2 ** Math.max(17, Math.ceil(Math.log2(length / 8)))
        return Math.ceil((now + length) / slice) * slice
      },
    })
    this.state = begin(Array.from({ length: MOST }, (_, at) => (at < COUNT ? LIMIT : 0)))
  }

  /** Makes a step of the model at this instant, and looks at all that must hold. */
  step(name: string, make: (model: HoldsModel, state: State) => State): void {
    this.made[name] = (this.made[name] ?? 0) + 1
    this.state = this.preview(make)
    const flaw = flawOf(this.state)
    if (flaw !== undefined) throw new Error(`After "${name}": ${flaw}. ${JSON.stringify(this.state)}`)
  }

  /** The state after a step. */
  preview(make: (model: HoldsModel, state: State) => State): State {
    return make(this.#model, this.#model.pass(this.state, this.#micros()))
  }

  /** Makes a step about a question that is under way. */
  about(name: 'arrive' | 'hear' | 'refuse' | 'giveUp' | 'lose', question: Question): void {
    const at = this.state.messages.findIndex(one => one.question === question)
    if (at < 0)
      throw new Error(`The model knows nothing of a question to ${name}: ${JSON.stringify(question)}`)
    const { kind } = this.state.messages[at]!
    this.step(`${name} ${kind}`, (model, state) => model[name](state, at))
  }

  isUnderWay(question: Question): boolean {
    return this.state.messages.some(one => one.question === question)
  }

  /** What a process still has to tell the store. */
  waiting(process: number): Message[] {
    return this.state.messages.filter(
      one => one.process === process && one.question.tells && !this.onWay.has(one.question),
    )
  }

  /** The units that the store must count: the end of the period, what is used, granted and held. */
  get counts(): unknown[] {
    const { now, end, used, granted, pots } = this.state
    return [end, used, granted, ...pots.flatMap(({ to, units }) => (now < to ? [to, units] : []))]
  }
}

/** What somebody asked a process for, until it has answered. */
interface Intent {
  readonly process: number
  readonly name: string
  /** Makes the step of the model whose question must come. Undefined for a check, which the model makes in one step. */
  readonly make: ((model: HoldsModel, state: State) => State) | undefined
  readonly cost: number
}

/** A demand as a question of the model. */
function questionOf({ mode, cost, rule, terms, chargedTo = 0 }: Demand): Partial<Question> {
  const tells = mode === Mode.SETTLE
  const claim = terms?.held && { to: terms.held.to, units: terms.held.units }
  return {
    tells,
    cost,
    least: tells ? 0 : (terms?.least ?? cost),
    length: terms?.keptFor ?? 0,
    claim,
    ...(!tells && { limit: rule.limit }),
    ...(cost < 0 && { chargedTo }),
  }
}

function isSame(question: Question, told: Partial<Question>): boolean {
  return Object.entries(told).every(
    ([name, value]) => JSON.stringify(question[name as keyof Question]) === JSON.stringify(value),
  )
}

/** Plays a history on a store. Returns how often each step was made. */
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

/** Whether a process may tell two things in one sum: about the same units held, and the same period. */
function isOfOnePart({ claim, cost, chargedTo }: Question, told: Partial<Question>): boolean {
  return (
    claim?.to === told.claim?.to &&
    (cost >= 0 || told.chargedTo === undefined || chargedTo === told.chargedTo)
  )
}

/** The fewest messages whose sum a process tells. */
function thoseOfSum(waiting: readonly Message[], told: Partial<Question>): Question[] | undefined {
  let sums: Question[][] = [[]]
  while (sums.length > 0) {
    const longer: Question[][] = []
    for (const sum of sums) {
      const from = waiting.findIndex(({ question }) => question === sum.at(-1)) + 1
      for (const { question } of waiting.slice(from)) {
        const all = [...sum, question]
        const cost = all.reduce((units, one) => units + one.cost, 0)
        const claimed = all.reduce((units, { claim }) => units + (claim?.units ?? 0), 0)
        if (cost === told.cost && claimed === (told.claim?.units ?? 0)) return all
        longer.push(all)
      }
    }
    sums = longer
  }
  return undefined
}
