import type { State } from './rule.ts'

/**
 * Holds: units of a quota that calls have reserved and not used yet. They are free again when their time is over, so a process
 * that dies locks nothing.
 *
 * They are summed up by the instant at which they end, behind the grant of a quota's counter:
 * `[cooldown, end, used, granted, expiry, units, expiry, units, …]`, the first to end first. Their ends are rounded up to an edge: a
 * multiple of the least power of two that is at least an eighth of their time. The edges of long holds are also edges of shorter ones,
 * so a counter has at most 9 of them for holds of one length, and at most 94 (1.5 kB) for holds of all lengths from 1 s to 24 h. A hold
 * lasts at most a quarter longer than its time, and ends with its period at the latest: so no edge of one period is taken for one of
 * the next.
 *
 * Source: leases (Gray and Cheriton, 1989), counted in the sub-windows of a sliding window.
 */
export interface HeldUnits {
  /** The instant at which the units end, in microseconds. */
  readonly to: number
  readonly units: number
}

/** The index of the first edge in a state. */
const FIRST = 4
/** The least distance of edges, in microseconds: about an eighth of a second. */
const LEAST_SLICE = 2 ** 17

/** Whether a quota's state has no numbers but those that this version of Halt knows. */
export function readsHolds({ length }: State): boolean {
  return length <= FIRST || length % 2 === 0
}

/**
 * The instant at which units end that are held from `now` on, in microseconds: their time later and at most a quarter of it after
 * that, but not after their period.
 *
 * @param state the state after the units were held
 * @param ttl the time of the hold, in microseconds
 */
export function holdEnd(state: State, now: number, ttl: number): number {
  let slice = LEAST_SLICE
  while (slice * 8 < ttl) slice *= 2
  return Math.min(Math.ceil((now + ttl) / slice) * slice, state[1] ?? 0)
}

/** The units held at `now`, in the period that is open. */
export function heldAt(state: State, now: number): number {
  if (state.length <= FIRST || now >= state[1]!) return 0
  let sum = 0
  for (let i = FIRST; i < state.length; i += 2) if (now < state[i]!) sum += state[i + 1]!
  return sum
}

/** The units of a hold that are still held at `now`. */
export function stillHeld(state: State, now: number, { to, units }: HeldUnits): number {
  const at = now < to && now < state[1]! ? indexOf(state, to) : -1
  return at < 0 ? 0 : Math.min(units, state[at + 1]!)
}

/** Holds units until their edge. The period is open. */
export function addHeld(state: State, now: number, units: number, ttl: number): void {
  if (state.length < FIRST) state[3] = 0
  const end = holdEnd(state, now, ttl)
  let at = state.length
  while (at > FIRST && state[at - 2]! > end) at -= 2
  if (at > FIRST && state[at - 2] === end) state[at - 1]! += units
  else state.splice(at, 0, end, units)
}

/** Gives the units of a hold back, at most those that are {@link stillHeld}. Returns whether there were any. */
export function releaseHeld(state: State, now: number, held: HeldUnits): boolean {
  const units = stillHeld(state, now, held)
  if (units === 0) return false
  const at = indexOf(state, held.to)
  state[at + 1]! -= units
  if (state[at + 1] === 0) state.splice(at, 2)
  dropEnded(state, now)
  return true
}

/** Removes the edges that are over. A state without holds and grants has no numbers for them. */
export function dropEnded(state: State, now: number): void {
  if (state.length < FIRST) return
  let gone = FIRST
  while (gone < state.length && now >= state[gone]!) gone += 2
  if (gone > FIRST) state.splice(FIRST, gone - FIRST)
  if (state.length === FIRST && state[3] === 0) state.length = 3
}

/**
 * Microseconds until enough holds have ended to free `excess` units; undefined if that is not within the period.
 *
 * @param excess at least 1
 */
export function waitForHolds(state: State, now: number, excess: number): number | undefined {
  let left = excess
  for (let i = FIRST; i < state.length && state[i]! < state[1]!; i += 2) {
    if (now >= state[i]!) continue
    left -= state[i + 1]!
    if (left <= 0) return state[i]! - now
  }
  return undefined
}

function indexOf(state: State, end: number): number {
  for (let i = FIRST; i < state.length; i += 2) if (state[i] === end) return i
  return -1
}
