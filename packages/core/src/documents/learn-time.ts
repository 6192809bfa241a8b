import { within } from '../base/timers.ts'
import { LOOK_RULE } from '../store/look-rule.ts'
import { type Group, Mode, type Store } from '../store/contract.ts'
import { CALL_TIMEOUT_MS, lateCall, type Wait } from './shared-text.ts'
import type { StoreClock } from '../store/store-clock.ts'

/** A look at a counter that nobody charges. Its evaluation carries the store's instant. */
const LOOK: Group = {
  demands: [{ rule: LOOK_RULE, subject: 'clock', cost: 1, mode: Mode.PEEK, penalized: false }],
}

/**
 * Asks a store for its time, unless the store's clock shows it without a call. The store's clock observes the answer. Never rejects:
 * without an answer in time, the clock goes on by the last instant that it observed, or by the system's clock.
 *
 * @returns whether the time is known
 */
export async function learnTime(store: Store, clock: StoreClock, wait: Wait = {}): Promise<boolean> {
  if (clock.known() !== undefined) return true
  const instant = await look(store, wait)
  if (instant !== undefined) clock.observe(instant)
  return instant !== undefined
}

/** Whether a store answers a check. Never rejects. */
export async function answers(store: Store, wait: Wait): Promise<boolean> {
  return (await look(store, wait)) !== undefined
}

async function look(store: Store, { quiet, ms = CALL_TIMEOUT_MS }: Wait): Promise<number | undefined> {
  try {
    const asked = Promise.resolve(store.evaluate(LOOK))
    return (await within(asked, ms, () => lateCall(ms), quiet)).now
  } catch {
    return undefined
  }
}
