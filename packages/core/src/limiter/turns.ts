import { algorithmOf } from '../algorithms/index.ts'
import { HaltError } from '../base/errors.ts'
import { nowMicros } from '../base/process-clock.ts'
import type { CheckResult } from '../check/check-result.ts'
import { tailsOf } from '../check/correction.ts'
import { Decision } from '../check/decision.ts'
import type { Turn } from '../check/turn.ts'
import type { GuardedStore } from '../resilience/guarded-store.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import { type AcquireOptions, readMaxWait } from '../waiting/acquire-options.ts'
import type { Place } from '../waiting/line.ts'
import { type Lines, waitingRoom } from '../waiting/lines.ts'
import { Waiter } from '../waiting/waiter.ts'
import type { Charges } from './charges.ts'

/** Asks for a decision, as a caller that waits for its turn, or, without a turn, as one that takes a refusal. */
export type Ask = (turn: Turn | undefined) => Decision | Promise<Decision>

/** How often a caller asks for a place in flight that another process may free. Microseconds. */
const FLIGHT_BEAT = 50_000

/** Lets callers wait for their turn. */
export class Turns {
  readonly #guardedStore: GuardedStore
  readonly #charges: Charges
  readonly #lines: Lines
  readonly #mostWaiting: number
  // How to send each waiting caller away.
  readonly #waiting = new Set<(reason: unknown) => void>()

  constructor(guardedStore: GuardedStore, charges: Charges, lines: Lines, mostWaiting: number) {
    this.#guardedStore = guardedStore
    this.#charges = charges
    this.#lines = lines
    this.#mostWaiting = mostWaiting
  }

  /** Resolves when it is the caller's turn, or at once with a refusal. Rejects with the signal's reason. */
  acquire(ask: Ask, { maxWait, signal }: Pick<AcquireOptions, 'maxWait' | 'signal'>): Promise<Decision> {
    const patience = readMaxWait(maxWait)
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) throw signal.reason
      if (waitingRoom.size >= this.#mostWaiting) return resolve(ask(undefined))
      const clock = (): number => this.#guardedStore.clock.told() ?? nowMicros()
      const waiter = new Waiter(this.#lines, clock, patience)
      const end = (): void => {
        if (waiter.isOver) return
        waiter.leave()
        waitingRoom.size--
        this.#waiting.delete(send)
        signal?.removeEventListener('abort', abort)
      }
      const send = (reason: unknown): void => {
        end()
        waiter.giveBack?.()
        reject(reason as Error)
      }
      const abort = (): void => send(signal?.reason)
      waitingRoom.size++
      this.#waiting.add(send)
      signal?.addEventListener('abort', abort, { once: true })
      this.#untilAdmitted(ask, waiter).then(resolve, reject).finally(end)
    })
  }

  /** Sends every waiting caller away. */
  close(): void {
    for (const send of this.#waiting)
      send(
        new HaltError(
          'HALT_E_CLOSED',
          'The limiter was closed while a caller waited for its turn.',
          'Await all calls before close(), or treat this as the end of the process.',
        ),
      )
  }

  async #untilAdmitted(ask: Ask, waiter: Waiter): Promise<Decision> {
    for (;;) {
      const decision = await ask(waiter)
      const result = Decision.resultOf(decision)
      // A caller that was admitted at once, as at the begin of an outage, does not overtake others either.
      const startsIn = result?.evaluation.startsIn ?? (decision.allowed && waiter.isBehind ? 0 : undefined)
      if (result === undefined || startsIn === undefined) {
        if (waiter.isOver) await this.#charges.cancel(decision)
        return Decision.afterWait(decision, waiter.waitedMs)
      }
      if (!decision.allowed) {
        if (waiter.isOver) return decision
        const freeable = freeableOf(result)
        const wait = freeable.length === 0 ? startsIn : Math.min(startsIn, FLIGHT_BEAT)
        await waiter.untilAsk(this.#timeTo(result, wait), freeable)
        continue
      }
      const place = this.#placeOf(result, this.#timeTo(result, startsIn))
      const giveBack = (): void => void this.#charges.withdraw(decision, waiter.giveUp(place))
      // Whoever asked in the same turn of the event loop must stand in the line first, to move up.
      if (waiter.isOver) queueMicrotask(giveBack)
      else waiter.giveBack = giveBack
      await waiter.untilStart(place)
      waiter.giveBack = () => void this.#charges.cancel(decision)
      const isBlocked = await this.#guardedStore.isBlocked(result.check)
      waiter.giveBack = undefined
      if (!isBlocked || waiter.isOver) return Decision.afterWait(decision, waiter.waitedMs)
      await this.#charges.withdraw(decision, place.tails)
    }
  }

  /** Measures the microseconds until a result's start, by the clock of the store that gave it. */
  #timeTo({ evaluation, degraded }: CheckResult, startsIn: number): () => number {
    const start = evaluation.now + startsIn
    return degraded === false ? () => start - this.#guardedStore.now() : () => start - nowMicros()
  }

  #placeOf(result: CheckResult, left: () => number): Place {
    let moved = 0
    return {
      left: () => left() + moved,
      moveBy: micros => void (moved += micros),
      units: result.check.demands.map(({ cost }) => cost).join(),
      tails: tailsOf(result),
    }
  }
}

/** The counters of a refused check whose units can be given back at any time. */
function freeableOf({ check: { demands }, evaluation: { passes } }: CheckResult): string[] {
  return demands
    .filter(({ rule }, i) => passes[i] !== true && algorithmOf(rule).isFlight)
    .map(demand => keyOfDemand(demand))
}
