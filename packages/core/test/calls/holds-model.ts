// Calls that hold units of a quota, as a model: what processes and the store may do, one step at a time. It shares no code with the sources.
//
// A search tries every order of steps (holds-search.test.ts), and histories of the real code must be made of these steps
// (holds-traces.ts). Budgets are "closed" while the store is away. Not in the model: "local" and "open", several quotas of a call, resets,
// granted units that are taken back, clocks that step, a store that fails over.

/** Units that are held until an instant. */
export interface Claim {
  readonly to: number
  readonly units: number
}

/** What a process asks the store, or tells it. */
export interface Question {
  /** Whether it is never refused. */
  readonly tells: boolean
  readonly cost: number
  /** The fewest units that are accepted. */
  readonly least: number
  readonly limit: number
  /** How long the units are held. 0: they are charged. */
  readonly length: number
  /** Units that are held already, and given for it. */
  readonly claim: Claim | undefined
  /** The period to which units go back. */
  readonly chargedTo: number
}

/** The store's answer: the units that passed, when they end if they are held, and the period that was open. */
interface Answer {
  readonly allowed: boolean
  readonly units: number
  readonly to: number
  readonly part: number
}

type Kind = 'reserve' | 'pay' | 'keep' | 'settle' | 'refund'

/** What a process hears of what it asked. */
export type Fate = 'heard' | 'lost' | 'late'

/** A question on its way to the store, or its answer on its way back. */
export interface Message {
  readonly kind: Kind
  readonly process: number
  /** The calls that it is about. */
  readonly calls: readonly number[]
  readonly question: Question
  /** The units that a payment is for. */
  readonly need: number
  /** When it was sent, and the end of that period. */
  readonly sent: number
  readonly period: number
  /** What its call had charged to the last period when it was settled. */
  readonly counted: number
  readonly answer: Answer | undefined
  /** Whether its process waits for the answer. */
  readonly isAwaited: boolean
}

/** A call of a process. */
export interface Call {
  readonly process: number
  readonly length: number
  readonly phase: 'reserving' | 'open' | 'ended'
  /** Whether it waits for an answer. */
  readonly isBusy: boolean
  readonly held: number
  /** When what is held ends. 0: nobody knows. */
  readonly to: number
  /** When it was held last. */
  readonly since: number
  readonly paid: number
  readonly used: number
  /** The period that was charged last, and the units that were charged to it. */
  readonly part: number
  readonly inPart: number
}

/** A state of all processes and of the store. */
export interface State {
  readonly now: number
  /** The store: the end of the period, what is used, granted and held in it. */
  readonly end: number
  readonly used: number
  readonly granted: number
  readonly pots: readonly Claim[]
  /** The ledger of the period: what checks have used, what is charged and nobody knows, and what is held and nobody knows. */
  readonly spent: number
  readonly lost: number
  readonly orphans: readonly Claim[]
  /** What settlements have charged beyond what their calls still held. */
  readonly over: number
  /** The highest limit in force in the period. */
  readonly most: number
  readonly limits: readonly number[]
  readonly isAlive: readonly boolean[]
  readonly calls: readonly Call[]
  readonly messages: readonly Message[]
}

/** The ends of periods, and of what is held in them. */
export interface Terms {
  readonly periodEnd: (now: number) => number
  readonly holdEnd: (now: number, length: number) => number
}

/** Mistakes that the protocol could have. The search must find each. */
export type Mistake =
  | 'pays with what ended'
  | 'claims units whose place it does not know'
  | 'holds longer without room'
  | 'forgets what a refused payment claimed'
  | 'settles and lets its units be held'
  | 'settles again without an answer'
  | 'pays back to any period'
  | 'pays a lost payment back'
  | 'uses before it pays'
  | 'waits for ever'
  | 'carries holds over the edge'

const NOTHING: Question = {
  tells: false,
  cost: 0,
  least: 0,
  limit: 0,
  length: 0,
  claim: undefined,
  chargedTo: 0,
}

/** The first state: nobody has asked. */
export function begin(limits: readonly number[]): State {
  return {
    now: 0,
    end: 0,
    used: 0,
    granted: 0,
    pots: [],
    spent: 0,
    lost: 0,
    orphans: [],
    over: 0,
    most: Math.max(...limits),
    limits,
    isAlive: limits.map(() => true),
    calls: [],
    messages: [],
  }
}

/** The steps of the protocol, from a state to the next. */
export class HoldsModel {
  readonly #terms: Terms
  readonly #mistake: Mistake | undefined

  constructor(terms: Terms, mistake?: Mistake) {
    this.#terms = terms
    this.#mistake = mistake
  }

  /** Time passes. */
  pass(state: State, to: number): State {
    return { ...state, now: to }
  }

  /** A call asks for units: to hold them for a time, or to charge them. */
  reserve(state: State, process: number, cost: number, length: number, least = cost): State {
    const call: Call = {
      process,
      length,
      phase: 'reserving',
      isBusy: true,
      held: 0,
      to: 0,
      since: 0,
      paid: 0,
      used: 0,
      part: 0,
      inPart: 0,
    }
    const calls = [...state.calls, call]
    const about = { kind: 'reserve', process, calls: [state.calls.length] } as const
    return this.#send({ ...state, calls }, about, { cost, least, length })
  }

  /** A call wants to use units. It asks only for what it has not paid ahead. */
  charge(state: State, at: number, units: number, chunk: number): State {
    const call = state.calls[at]!
    const need = call.used + units - call.paid
    if (need <= 0) return withCall(state, at, { used: call.used + units })
    const cost = Math.max(need, chunk)
    const given = this.#claimOf(call, Math.min(call.held, cost))
    const used = this.#mistake === 'uses before it pays' ? call.used + units : call.used
    const after = withCall(state, at, { isBusy: true, held: call.held - (given?.units ?? 0), used })
    const about = { kind: 'pay', process: call.process, calls: [at], need: units } as const
    return this.#send(after, about, { cost, least: need, claim: given })
  }

  /** A process asks to hold longer what its calls hold until one instant. */
  keep(state: State, process: number, calls: readonly number[]): State {
    const [first] = calls.map(at => state.calls[at]!) as [Call]
    const cost = calls.reduce((sum, at) => sum + state.calls[at]!.held, 0)
    const claim = this.#claimOf(first, cost)
    const least = calls.length > 1 && claim !== undefined ? 1 : cost
    const after = calls.reduce((then, at) => withCall(then, at, { isBusy: true }), state)
    return this.#send(after, { kind: 'keep', process, calls }, { cost, least, length: first.length, claim })
  }

  /** A call ends. It is charged what it used, and holds nothing any more. */
  settle(state: State, at: number, actual: number): State {
    const { process, held, paid, part, inPart, ...call } = state.calls[at]!
    const cost = Math.max(actual - paid, -inPart)
    const claim =
      this.#mistake === 'settles and lets its units be held' ? undefined : this.#claimOf(call, held)
    const chargedTo = cost > 0 ? this.#terms.periodEnd(state.now) : part
    // Of units whose place nobody knows, nobody knows any more.
    const after = withCall(state, at, { phase: 'ended', held: 0, to: 0, since: 0 })
    if (cost === 0 && claim === undefined) return after
    const about = { kind: 'settle', process, calls: [at], counted: inPart } as const
    return this.#send(after, about, { tells: true, cost, claim, chargedTo })
  }

  /** Somebody without a call uses units. A process that hears of it late gives them back, because it has refused them meanwhile. */
  check(state: State, process: number, cost: number, fate: Fate, limit = state.limits[process]!): State {
    const { after, answer } = this.#decide(state, { ...NOTHING, cost, least: cost, limit })
    if (!answer.allowed) return after
    if (fate === 'heard') return { ...after, spent: after.spent + cost }
    if (fate === 'lost') return { ...after, lost: after.lost + cost }
    const refund = { tells: true, cost: -cost, chargedTo: answer.part }
    return this.#send(after, { kind: 'refund', process, calls: [] }, refund)
  }

  /** An operator grants units until the period ends. */
  grant(state: State, units: number): State {
    const opened = this.#open(state)
    return { ...opened, granted: opened.granted + units }
  }

  /** The store decides a question. */
  arrive(state: State, at: number): State {
    const message = state.messages[at]!
    const { question, kind, calls, counted } = message
    const { after, answer, live } = this.#decide(state, question)
    if (!question.tells) return withMessage(after, at, { answer })
    const { cost, chargedTo } = question
    const told = { ...after, messages: after.messages.toSpliced(at, 1) }
    if (kind === 'refund') return told
    const over = told.over + Math.max(0, cost - live)
    const [call] = calls as [number]
    const isSame = told.calls[call]!.part === told.end
    const settled = { ...told, over }
    if (cost > 0) return withCall(settled, call, { part: told.end, inPart: (isSame ? counted : 0) + cost })
    return chargedTo === told.end && isSame ? withCall(settled, call, { inPart: counted + cost }) : settled
  }

  /** A process hears an answer, in time or late. */
  hear(state: State, at: number): State {
    const message = state.messages[at]!
    const { kind, calls, isAwaited, process } = message
    if (!state.isAlive[process]) return this.lose(state, at)
    if (kind === 'keep') return this.#hearKept(state, at)
    if (!isAwaited) return this.#hearLate(state, at)
    const after = { ...state, messages: state.messages.toSpliced(at, 1) }
    const { allowed, units, to, part } = message.answer!
    const [own] = calls as [number]
    const call = state.calls[own]!
    const isHeld = kind === 'reserve' && call.length > 0
    if (!allowed && kind === 'reserve') return withCall(after, own, { phase: 'ended', isBusy: false })
    const claim = message.question.claim?.units ?? 0
    if (!allowed)
      return withCall(after, own, {
        isBusy: false,
        held: this.#mistake === 'forgets what a refused payment claimed' ? call.held : call.held + claim,
      })
    if (isHeld)
      return withCall(after, own, { phase: 'open', isBusy: false, held: units, to, since: state.now })
    const wasUsed = this.#mistake === 'uses before it pays' ? 0 : message.need
    return withCall(after, own, {
      phase: 'open',
      isBusy: false,
      paid: call.paid + units,
      used: call.used + wasUsed,
      part,
      inPart: (call.part === part ? call.inPart : 0) + units,
    })
  }

  /** A process knows that a question was never sent. What it tells is told later. */
  refuse(state: State, at: number): State {
    const { kind, calls, question } = state.messages[at]!
    if (question.tells) return withMessage(state, at, { isAwaited: false })
    const after = { ...state, messages: state.messages.toSpliced(at, 1) }
    return calls.reduce<State>((then, own) => {
      const held = then.calls[own]!.held + (kind === 'pay' ? (question.claim?.units ?? 0) : 0)
      return withCall(then, own, { isBusy: false, held, ...(kind === 'reserve' && { phase: 'ended' }) })
    }, after)
  }

  /** A process waits no longer. The store may decide the question, or have decided it. */
  giveUp(state: State, at: number): State {
    const { kind, calls, question } = state.messages[at]!
    const after = withMessage(state, at, { isAwaited: false })
    if (this.#mistake === 'waits for ever' && kind === 'keep') return after
    if (this.#mistake === 'settles again without an answer' && kind === 'settle')
      return this.#send(
        after,
        { ...state.messages[at]!, isAwaited: false },
        { ...question, claim: undefined },
      )
    return calls.reduce((then, own) => {
      if (kind === 'reserve') return withCall(then, own, { isBusy: false, phase: 'ended' })
      if (kind === 'settle') return then
      const isUnknown = kind === 'keep' && this.#mistake !== 'claims units whose place it does not know'
      const back = this.#mistake === 'pays a lost payment back' ? (question.claim?.units ?? 0) : 0
      const held = then.calls[own]!.held + (kind === 'pay' ? back : 0)
      return withCall(then, own, { isBusy: false, held, ...(isUnknown && { to: 0 }) })
    }, after)
  }

  /** A question or an answer that nobody awaits is lost. */
  lose(state: State, at: number): State {
    const { kind, answer, question } = state.messages[at]!
    const after = { ...state, messages: state.messages.toSpliced(at, 1) }
    if (kind === 'refund' && question.chargedTo === state.end)
      return { ...after, lost: after.lost - question.cost }
    if (answer?.allowed !== true) return orphaning(after, question.claim)
    if (question.length > 0) return orphaning(after, answer)
    return answer.part === state.end ? { ...after, lost: after.lost + answer.units } : after
  }

  /** A process ends. Nobody knows what its calls hold, and what they have paid stays paid. */
  end(state: State, process: number): State {
    const isAlive = state.isAlive.with(process, false)
    const messages = state.messages.map(one => (one.process === process ? { ...one, isAwaited: false } : one))
    const own = state.calls.flatMap((call, at) => (call.process === process ? [at] : []))
    const moving = movingIn(state)
    return own.reduce<State>(
      (then, at) => {
        const { held, to } = then.calls[at]!
        const orphaned = moving.has(at) ? then : orphaning(then, { to, units: held })
        return withCall(orphaned, at, { phase: 'ended', isBusy: false, held: 0, to: 0, since: 0 })
      },
      { ...state, isAlive, messages },
    )
  }

  /** A process hears of another limit. */
  change(state: State, process: number, limit: number): State {
    return { ...state, limits: state.limits.with(process, limit), most: Math.max(state.most, limit) }
  }

  #hearLate(state: State, at: number): State {
    const { kind, process, question, answer, sent } = state.messages[at]!
    const { allowed, units, to, part } = answer!
    const after = { ...state, messages: state.messages.toSpliced(at, 1) }
    if (!allowed) return this.lose(state, at)
    // The call has been refused meanwhile, so the store gets its units back.
    const refund = question.length > 0 ? { cost: 0, claim: { to, units } } : { cost: -units, chargedTo: part }
    const period = this.#terms.periodEnd(kind === 'pay' ? sent : state.now)
    return this.#send(after, { kind: 'refund', process, calls: [], period }, { tells: true, ...refund })
  }

  /** Calls hear where their units are now, as far as they wait for it or have not heard of it otherwise. */
  #hearKept(state: State, at: number): State {
    const { answer, calls, question, isAwaited, sent } = state.messages[at]!
    const { allowed, units, to } = answer!
    let then: State = { ...state, messages: state.messages.toSpliced(at, 1) }
    const asked = movingIn(then)
    let left = allowed ? units : 0
    for (const own of calls) {
      const { isBusy, phase, held, to: before, since, length } = then.calls[own]!
      if (!isAwaited && (asked.has(own) || before > 0 || phase === 'ended')) continue
      then = withCall(then, own, { isBusy: isBusy && !isAwaited })
      // Its units may still be held where nobody knows of them, so they have no room twice.
      if (!allowed && before === 0 && sent - since < (length * 5) / 4) continue
      const kept = Math.min(held, left)
      left -= kept
      then = withCall(then, own, { held: kept, to: kept > 0 ? to : 0, since: sent })
    }
    return orphaning(then, allowed ? { to, units: left } : question.claim)
  }

  #claimOf({ to, length }: Pick<Call, 'to' | 'length'>, units: number): Claim | undefined {
    return units > 0 && to > 0 && length > 0 ? { to, units } : undefined
  }

  #send(
    state: State,
    about: Pick<Message, 'kind' | 'process' | 'calls'> & Partial<Message>,
    question: Partial<Question> & Pick<Question, 'cost'>,
  ): State {
    const message: Message = {
      need: 0,
      sent: state.now,
      period: this.#terms.periodEnd(state.now),
      counted: 0,
      answer: undefined,
      isAwaited: true,
      ...about,
      question: { ...NOTHING, limit: state.limits[about.process]!, ...question },
    }
    return { ...state, messages: [...state.messages, message] }
  }

  #decide(state: State, question: Question): { after: State; answer: Answer; live: number } {
    const { cost, least, claim, length, tells, chargedTo, limit } = question
    const { now, end } = state
    const live = this.#live(state, claim)
    const room = limit + (now < end ? state.granted - state.used - this.heldAt(state) : 0)
    const isCovered = live > 0 && least <= live
    const isKept = this.#mistake === 'holds longer without room' && length > 0 && claim !== undefined
    if (!tells && !isCovered && !isKept && least - live > room)
      return { after: state, answer: { allowed: false, units: 0, to: 0, part: end }, live }
    const units = tells ? cost : Math.max(least, Math.min(cost, Math.max(live, Math.max(0, room) + live)))
    const released =
      claim === undefined ? state : { ...state, pots: adding(state.pots, { ...claim, units: -live }) }
    if (units < 0) {
      const isOwn = now < end && (chargedTo === end || this.#mistake === 'pays back to any period')
      const used = isOwn ? Math.max(0, released.used + units) : released.used
      return { after: { ...released, used }, answer: { allowed: true, units, to: 0, part: end }, live }
    }
    if (units === 0) return { after: released, answer: { allowed: true, units, to: 0, part: end }, live }
    const opened = this.#open(released)
    const most = Math.max(opened.most, tells ? 0 : limit)
    const to = Math.min(this.#terms.holdEnd(now, length), opened.end)
    const after =
      length > 0
        ? { ...opened, most, pots: adding(opened.pots, { to, units }) }
        : { ...opened, most, used: opened.used + units }
    return { after, answer: { allowed: true, units, to: length > 0 ? to : 0, part: opened.end }, live }
  }

  /** The units of a claim that are held still. */
  #live({ now, end, pots }: State, claim: Claim | undefined): number {
    if (claim === undefined || now >= end) return 0
    const isOver = this.#mistake === 'pays with what ended' ? now > claim.to : now >= claim.to
    return isOver ? 0 : Math.min(claim.units, pots.find(({ to }) => to === claim.to)?.units ?? 0)
  }

  /** The units held in the period that is open. */
  heldAt({ now, end, pots }: State): number {
    return now < end ? sumOf(pots.filter(({ to }) => now < to)) : 0
  }

  #open(state: State): State {
    const { now, end, pots } = state
    if (now < end) return { ...state, pots: pots.filter(({ to }) => now <= to) }
    return {
      ...state,
      end: this.#terms.periodEnd(now),
      used: 0,
      granted: 0,
      pots:
        this.#mistake === 'carries holds over the edge' ? pots.map(one => ({ ...one, to: one.to + 1 })) : [],
      spent: 0,
      lost: 0,
      orphans: [],
      over: 0,
      most: Math.max(...state.limits),
    }
  }
}

/** What must be true of every state. Returns what is not. */
export function flawOf(state: State): string | undefined {
  const { now, end, used, granted, pots, most, over, calls, messages } = state
  for (const { phase, isBusy, used: own, paid } of calls)
    if (phase === 'open' && !isBusy && own > paid) return 'a call has used what it has not paid'
  const awaited = new Set(messages.flatMap(one => (one.isAwaited ? one.calls : [])))
  for (const [at, { isBusy }] of calls.entries())
    if (isBusy && !awaited.has(at)) return 'a call waits for an answer that never comes'
  if (now >= end) return undefined
  const live = pots.filter(({ to }) => now < to)
  if (used + sumOf(live) > most + granted + over) return 'more was admitted than the highest limit in force'
  if (used !== knownUsed(state)) return 'a unit that was used is not accounted for'
  let left = live
  for (const { to, units } of knownHeld(state)) if (now < to) left = adding(left, { to, units: -units })
  return left.length === 0 ? undefined : 'a unit that is held is not accounted for'
}

/** The units used in the period, by what everybody knows. */
function knownUsed({ end, spent, lost, calls, messages }: State): number {
  let sum = spent + lost
  for (const { part, inPart } of calls) if (part === end) sum += inPart
  for (const { kind, question, answer } of messages) {
    if (answer?.allowed === true && question.length === 0 && answer.part === end) sum += answer.units
    if (kind === 'refund' && question.chargedTo === end) sum -= question.cost
  }
  return sum
}

/** The units held, by what everybody knows. */
function knownHeld(state: State): Claim[] {
  const { orphans, calls, messages } = state
  const moving = movingIn(state)
  const own = calls.flatMap(({ to, held }, at) => (held > 0 && !moving.has(at) ? [{ to, units: held }] : []))
  const under = messages.flatMap(({ question, answer }) => {
    if (answer?.allowed === true) return question.length > 0 ? [answer] : []
    return question.claim ?? []
  })
  return [...orphans, ...own, ...under]
}

/** The calls whose units are being held longer. */
function movingIn({ messages }: State): Set<number> {
  return new Set(messages.flatMap(one => (one.kind === 'keep' && one.isAwaited ? one.calls : [])))
}

/** Notes units that are held, and of which nobody knows. */
function orphaning(state: State, claim: Claim | undefined): State {
  if (claim === undefined || claim.units === 0 || claim.to <= state.now) return state
  return { ...state, orphans: adding(state.orphans, { to: claim.to, units: claim.units }) }
}

function adding(pots: readonly Claim[], { to, units }: Claim): Claim[] {
  const before = pots.find(one => one.to === to)?.units ?? 0
  const others = pots.filter(one => one.to !== to)
  const all = before + units === 0 ? others : [...others, { to, units: before + units }]
  return all.sort((a, b) => a.to - b.to)
}

function sumOf(pots: readonly Claim[]): number {
  return pots.reduce((sum, { units }) => sum + units, 0)
}

function withCall(state: State, at: number, changes: Partial<Call>): State {
  return { ...state, calls: state.calls.with(at, { ...state.calls[at]!, ...changes }) }
}

function withMessage(state: State, at: number, changes: Partial<Message>): State {
  return { ...state, messages: state.messages.with(at, { ...state.messages[at]!, ...changes }) }
}
