import type { State } from '../algorithms/index.ts'
import { type Duration, parseDuration } from '../base/duration.ts'
import { describe } from '../base/errors.ts'
import { nowMicros } from '../base/event-loop.ts'
import { checkNames, fail } from '../base/options-check.ts'
import { Limiter } from '../limiter/limiter.ts'
import type { CounterId, Group, Store } from '../store/contract.ts'
import { type Counters, keyOf } from '../store/counter-key.ts'
import { decide } from '../store/decide.ts'
import type { Evaluation } from '../store/evaluation.ts'
import type { AcquireOptions } from './acquire-options.ts'
import { LimitedError } from './limited-error.ts'
import { queue } from './queue.ts'

/** `9/s`, `100 per minute`, `9/10s`. */
const FORM = /^\s*(\d+)\s*(?:\/|per)\s*(\d+(?:\.\d+)?)?\s*(ms|s|m|h|d|second|minute|hour|day)\s*$/
const LONGEST: Duration = '24h'

/** Options of a {@link Pace}. */
export interface PaceOptions {
  /** The store that all processes of the pace share. Default: the pace is this process's own. */
  readonly store?: Store | undefined
  /** What is paced, such as the service that is called: paces of one store with one key share their turns. Default `"pace"`. */
  readonly key?: string | undefined
}

/** Turns at an even pace, for a script or a worker. */
export interface Pace {
  /**
   * Resolves when it is the caller's turn. Turns come in the order of the calls, over all processes that share a store.
   *
   * @throws HaltError `HALT_E_LIMITED` if the turn would come in more than 24 hours, or 10 000 callers of this process wait; rejects with
   * the signal's reason if it is aborted
   */
  turn(options?: Pick<AcquireOptions, 'signal'>): Promise<void>
  /** Waits for a turn, then runs a function. @throws HaltError as {@link turn}; `HALT_E_OPTION` if it is no function */
  run<T>(work: () => T | Promise<T>, options?: Pick<AcquireOptions, 'signal'>): Promise<T>
  /** Ends the pace: callers that wait reject with `HALT_E_CLOSED`. The store is closed with its last limiter. */
  close(): Promise<void>
}

/**
 * Makes a pace: one turn after the other at even distances, as many in a time as `rate` says. It is a limiter with a bucket of one unit.
 *
 * @param rate turns in a time: `"9/s"`, `"100/m"`, `"1/500ms"`, `"9 per second"`
 * @throws HaltError `HALT_E_PACE` for another text; `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`
 * @example
 * const mails = pace('9/s')
 * for (const mail of waiting) {
 *   await mails.turn()
 *   await send(mail)
 * }
 */
export function pace(rate: string, options: PaceOptions = {}): Pace {
  checkNames(options as Readonly<Record<string, unknown>>, ['store', 'key'], 'pace()')
  const { store = ownStore(), key = 'pace' } = options
  if (typeof key !== 'string' || key === '')
    fail('HALT_E_OPTION', `key is ${describe(key)}.`, 'Give a text that names what is paced.')
  const limiter = new Limiter({ store, policy: { name: 'pace', ...readRate(rate), burst: 1 } })
  const callers = queue(limiter)
  const turn: Pace['turn'] = async (given = {}) => {
    checkNames(given as Readonly<Record<string, unknown>>, ['signal'], 'The call')
    const decision = await callers.acquire({ custom: key }, { ...given, maxWait: LONGEST })
    if (!decision.allowed) throw new LimitedError(decision)
  }
  return {
    turn,
    run: async (work, given) => {
      if (typeof work !== 'function')
        fail(
          'HALT_E_OPTION',
          `run() got ${describe(work)} for the work.`,
          'Give a function: run(() => call()).',
        )
      await turn(given)
      return work()
    },
    close: () => limiter.close(),
  }
}

function readRate(rate: unknown): { readonly limit: number; readonly window: Duration } {
  const [, limit, count = '1', unit = ''] = (typeof rate === 'string' && FORM.exec(rate)) || []
  const window = `${count}${unit === 'ms' ? unit : unit.charAt(0)}`
  if (limit === undefined || Number(limit) < 1)
    fail('HALT_E_PACE', `The pace is ${describe(rate)}.`, 'Give turns in a time: "9/s", "100/m", "1/500ms".')
  parseDuration(window, 'The time of the pace', 'HALT_E_PACE')
  return { limit: Number(limit), window }
}

/** A store of this process alone. It has one counter for each key. */
function ownStore(): Store {
  const states = new Map<string, State>()
  const counters: Counters = {
    hasOneClock: true,
    load: (subject, counter) => [...(states.get(keyOf(subject, counter)) ?? [])],
    keep: (subject, counter, state) => void states.set(keyOf(subject, counter), [...state]),
  }
  return {
    kind: 'pace',
    isShared: false,
    isSynchronous: true,
    clock: () => nowMicros() / 1000,
    evaluate: (group: Group): Evaluation => decide(group, counters, nowMicros()),
    forget: (gone: readonly CounterId[]) =>
      gone.filter(({ subject, counter }) => states.delete(keyOf(subject, counter))).length,
  }
}
