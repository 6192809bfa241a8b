// The states of the model of the line (line-model.ts): what the store has, what each process believes, and what is under way.
import type { Bucket, Place, Reading } from './line-bucket.ts'

/** When a caller without a place may start. */
export interface Owed {
  readonly start: number
  /** The time after the one in front of it. */
  readonly time: number
}

/** Those that may start as soon as those in front of them have. */
export const AT_ONCE: Owed = { start: 0, time: 0 }

/** A caller. Its index is its order. */
export interface Caller {
  readonly process: number
  readonly cost: number
  /** The rate of its policy as it asked. */
  readonly rate: number
  /** `leaving`: it has left while the store is asked about it. */
  readonly phase: 'asking' | 'leaving' | 'standing' | 'started' | 'over'
  readonly asked: number
  /** The start that the store told. */
  readonly told: number
  /** When the front of the store came to its place. Nothing of the protocol reads it. */
  readonly ready: number | undefined
  readonly place: Place | undefined
  readonly owes: Owed
  /** Whether places are being asked for it. */
  readonly isPlacing: boolean
}

type Kind = 'ask' | 'look' | 'place' | 'leave' | 'refund'

/** What the store answers. */
export interface Answer {
  readonly now: number
  /** Undefined if it refuses. */
  readonly wait: number | undefined
  readonly isPlaced: boolean
  /** The place of the last unit that was charged. */
  readonly end: Place
  readonly reading: Reading | undefined
  /** The rate of the bucket; 0 for a fresh one. */
  readonly rate: number
}

/** A question on its way to the store, or its answer on its way back. */
export interface Message {
  readonly kind: Kind
  readonly process: number
  readonly callers: readonly number[]
  readonly cost: number
  readonly rate: number
  readonly maxWait: number
  /** The place that is given back. */
  readonly place: Place
  readonly sent: number
  /** Whether its process waits for the answer. */
  readonly isAwaited: boolean
  readonly answer: Answer | undefined
}

/** What a process believes of the line. */
export interface Belief {
  /** The instants of the last answer that counted: when it was decided, and when it came. */
  readonly heardAt: number
  readonly heardCame: number
  /** The shortest time that an answer took. */
  readonly lag: number
  readonly reading: Reading | undefined
  readonly rate: number
  readonly readAt: number
  /** When it heard that the line is over. */
  readonly endedAt: number
  readonly looksAt: number
  /** Whether somebody may stand in the line who has no place. */
  readonly misses: boolean
  readonly lastStart: number
}

/** What a process believes that has asked nobody. */
export const BLANK: Belief = {
  heardAt: -Infinity,
  heardCame: -Infinity,
  lag: Infinity,
  reading: undefined,
  rate: 1,
  readAt: 0,
  endedAt: Infinity,
  looksAt: Infinity,
  misses: false,
  lastStart: -Infinity,
}

/** A process. It believes nothing while nobody waits in it. */
export interface Process {
  readonly isAlive: boolean
  /** The rate of its policy. */
  readonly rate: number
  readonly belief: Belief
  /** When a question for places went unanswered last. */
  readonly cutOffAt: number
}

/** Who has the units that the store ever charged. Nothing of the protocol reads it. */
export interface Ledger {
  readonly charged: number
  readonly returned: number
  /** Those of callers that have started. */
  readonly used: number
  /** Those whose answer was lost, or whose process has ended: the bound of what is charged for nobody. */
  readonly lost: number
  /** Those that the store itself has lost. */
  readonly wiped: number
  /** In the present line: places of those that have started, or that nobody has. */
  readonly past: number
}

/** A number from an instant on. */
export interface Step {
  readonly from: number
  readonly value: number
}

/** What has started, and what may have. Nothing of the protocol reads it. */
export interface Judge {
  /** Units that have started, at the instants at which they were due. */
  readonly starts: readonly Step[]
  /** Debt that the bounds allow beyond the capacity: refunds, a lost counter, shares in an outage. */
  readonly allowed: number
  /** The highest rate in force. */
  readonly rates: readonly Step[]
  /** The longest time that an answer took. */
  readonly slowest: number
  /** Whether something has changed that processes hear of later. */
  readonly isChanged: boolean
  /** Whether callers may start later than they were told. */
  readonly isSlower: boolean
  /** When the store lost all that it had. */
  readonly wipedAt: number
  readonly flaw: string | undefined
}

/** A state of all processes and of the store. */
export interface State {
  readonly now: number
  readonly bucket: Bucket | undefined
  readonly processes: readonly Process[]
  readonly callers: readonly Caller[]
  readonly messages: readonly Message[]
  readonly ledger: Ledger
  readonly judge: Judge
}

/** The first state: nobody has asked. */
export function begin(rates: readonly number[]): State {
  return {
    now: 0,
    bucket: undefined,
    processes: rates.map(rate => ({ isAlive: true, rate, belief: BLANK, cutOffAt: -Infinity })),
    callers: [],
    messages: [],
    ledger: { charged: 0, returned: 0, used: 0, lost: 0, wiped: 0, past: 0 },
    judge: {
      starts: [],
      allowed: 0,
      rates: [{ from: -Infinity, value: Math.max(...rates) }],
      slowest: 0,
      isChanged: false,
      isSlower: false,
      wipedAt: Infinity,
      flaw: undefined,
    },
  }
}

/** The callers of a process that stand in its line, in order. */
export function standingIn({ callers }: State, process: number): number[] {
  const standing: number[] = []
  for (let at = 0; at < callers.length; at++) {
    const caller = callers[at]!
    if (caller.phase === 'standing' && caller.process === process) standing.push(at)
  }
  return standing
}

export function withCaller(state: State, at: number, changes: Partial<Caller>): State {
  return { ...state, callers: state.callers.with(at, { ...state.callers[at]!, ...changes }) }
}

export function withMessage(state: State, at: number, changes: Partial<Message>): State {
  return { ...state, messages: state.messages.with(at, { ...state.messages[at]!, ...changes }) }
}

export function withProcess(state: State, at: number, changes: Partial<Process>): State {
  return { ...state, processes: state.processes.with(at, { ...state.processes[at]!, ...changes }) }
}

export function withBelief(state: State, at: number, changes: Partial<Belief>): State {
  return withProcess(state, at, { belief: { ...state.processes[at]!.belief, ...changes } })
}

export function withLedger(state: State, changes: Partial<Ledger>): State {
  return { ...state, ledger: { ...state.ledger, ...changes } }
}
