// Leases of a fixed window as a model: what processes and the store may do, one step at a time. It shares no code with the sources.
//
// A search tries every order of steps (model-search.test.ts), and histories of the real code must be made of these steps
// (model-traces.test.ts). Not in the model: resets, buckets, sub-windows, clocks that step, a store that fails over.

/** Units on their way between a process and the store. `asked` are not charged yet; all others are, in the window that ends at `end`. */
export interface Slot {
  readonly kind: 'asked' | 'granted' | 'held' | 'returning'
  readonly process: number
  readonly units: number
  /** The limit that the process knew when it asked. */
  readonly limit: number
  /** When the process asked, until the store's answer is heard. */
  readonly sent: number
  readonly takenAt: number
  readonly end: number
  /** The instant from which the units may not be used. */
  readonly until: number
}

/** A state of all processes and of the store. */
export interface State {
  readonly now: number
  /** The end of the window, and the units that the store counts in it. */
  readonly end: number
  readonly used: number
  /** The units of this window that callers got, and those that nobody will ever use or give back. */
  readonly spent: number
  readonly lost: number
  /** The highest limit in force in this window. */
  readonly most: number
  readonly limits: readonly number[]
  readonly isAlive: readonly boolean[]
  readonly slots: readonly Slot[]
}

/** The length of a window, and the longest time for which units are held. */
export interface Terms {
  readonly window: number
  readonly hold: number
}

/** Mistakes that the protocol could have. The search must find each. */
export type Mistake =
  | 'holds from the answer'
  | 'holds past the window'
  | 'gives back twice'
  | 'gives back to any window'
  | 'uses at the end'

/** The first state: nobody has asked. */
export function begin(limits: readonly number[]): State {
  const isAlive = limits.map(() => true)
  return { now: 0, end: 0, used: 0, spent: 0, lost: 0, most: Math.max(...limits), limits, isAlive, slots: [] }
}

/** The steps of the protocol, from a state to the next. */
export class LeaseModel {
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

  /** A process asks for units in advance. */
  ask(state: State, process: number, units: number): State {
    const [limit, sent] = [state.limits[process]!, state.now]
    const slot: Slot = { kind: 'asked', process, units, limit, sent, takenAt: 0, end: 0, until: 0 }
    return { ...state, slots: [...state.slots, slot] }
  }

  /** The store decides a question for units in advance. It grants as many as are left, and refuses if there are none. */
  grant(state: State, at: number): State {
    const slot = state.slots[at]!
    const opened = this.#open(state)
    const units = Math.min(slot.units, slot.limit - opened.used)
    if (units <= 0) return without(state, at)
    const granted: Slot = { ...slot, kind: 'granted', units, takenAt: state.now, end: opened.end }
    return withSlot(
      { ...opened, used: opened.used + units, most: Math.max(opened.most, slot.limit) },
      at,
      granted,
    )
  }

  /** The answer of the store is lost, or its process has ended: the units are charged, and nobody has them. */
  lose(state: State, at: number): State {
    return without(losing(state, state.slots[at]!), at)
  }

  /** A process hears that it has units. They expire with their window, and a time after they were asked for. */
  hear(state: State, at: number): State {
    const slot = state.slots[at]!
    if (!state.isAlive[slot.process]) return this.lose(state, at)
    const rest = this.#mistake === 'holds past the window' ? Infinity : slot.end - slot.takenAt
    const from = this.#mistake === 'holds from the answer' ? state.now : slot.sent
    const until = from + Math.min(this.#terms.hold, rest)
    return withSlot(state, at, { ...slot, kind: 'held', sent: 0, takenAt: 0, until })
  }

  /** Whether a process may use units that it holds. */
  mayUse({ now }: State, { kind, units, until }: Slot, cost: number): boolean {
    const isInTime = this.#mistake === 'uses at the end' ? now <= until : now < until
    return kind === 'held' && units >= cost && isInTime
  }

  /** A process lets a caller have units that it holds. */
  use(state: State, at: number, cost: number): State {
    const slot = state.slots[at]!
    const spent = state.spent + (slot.end === state.end ? cost : 0)
    if (state.now >= slot.end) throw new Error('Units were used after their window.')
    return withSlot({ ...state, spent }, at, { ...slot, units: slot.units - cost })
  }

  /** A process sends units back. */
  giveBack(state: State, at: number): State {
    const slot = state.slots[at]!
    return slot.units === 0
      ? without(state, at)
      : withSlot(state, at, { ...slot, kind: 'returning', until: 0 })
  }

  /** The store takes units back. */
  takeBack(state: State, at: number): State {
    const slot = state.slots[at]!
    const isOwn =
      state.now < state.end && (slot.end === state.end || this.#mistake === 'gives back to any window')
    const used = isOwn ? Math.max(0, state.used - slot.units) : state.used
    if (this.#mistake === 'gives back twice' && slot.takenAt === 0)
      return withSlot({ ...state, used }, at, { ...slot, takenAt: -1 })
    return without({ ...state, used }, at)
  }

  /** A caller whose process holds too little is decided by the store. Its process may not hear of it. */
  check(state: State, limit: number, cost: number, isHeard = true): State {
    const opened = this.#open(state)
    if (opened.used + cost > limit) return state
    const counted = { ...opened, used: opened.used + cost, most: Math.max(opened.most, limit) }
    return isHeard ? { ...counted, spent: counted.spent + cost } : { ...counted, lost: counted.lost + cost }
  }

  /** A process ends. What it holds is lost. */
  end(state: State, process: number): State {
    const isAlive = state.isAlive.with(process, false)
    const held = state.slots.filter(slot => slot.kind === 'held' && slot.process === process)
    const after = held.reduce(losing, state)
    return { ...after, isAlive, slots: state.slots.filter(slot => !held.includes(slot)) }
  }

  /** A process hears of another limit. */
  change(state: State, process: number, limit: number): State {
    return { ...state, limits: state.limits.with(process, limit), most: Math.max(state.most, limit) }
  }

  #open(state: State): State {
    if (state.now < state.end) return state
    return {
      ...state,
      end: state.now + this.#terms.window,
      used: 0,
      spent: 0,
      lost: 0,
      most: Math.max(...state.limits),
    }
  }
}

/** What must be true of every state. Returns what is not. */
export function flawOf({ now, end, used, spent, lost, most, slots }: State): string | undefined {
  if (now >= end) return undefined
  if (spent > most) return 'more was used than the highest limit in force'
  const charged = slots.filter(slot => slot.kind !== 'asked' && slot.end === end)
  const known = charged.reduce((sum, { units, takenAt }) => sum + (takenAt < 0 ? 0 : units), spent + lost)
  return known === used ? undefined : 'a unit is not accounted for'
}

function losing(state: State, { end, units }: Slot): State {
  return end === state.end ? { ...state, lost: state.lost + units } : state
}

function without(state: State, at: number): State {
  return { ...state, slots: state.slots.toSpliced(at, 1) }
}

function withSlot(state: State, at: number, slot: Slot): State {
  return { ...state, slots: state.slots.with(at, slot) }
}
