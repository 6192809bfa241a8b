import type { ActOptions, Control, ControlEntry, EntryFacts, PolicyNumbers } from '@halt/control'
import type { Identity } from '@halt/core'

import type { Catalogue } from '../desk/catalogue.ts'
import { isNetwork } from '../desk/identities.ts'
import type { LimiterEntry } from '../options.ts'
import type { ActCall } from './act-call.ts'

/** A call for an act, with everything that it names. */
export interface Acting {
  readonly call: ActCall
  readonly control: Control
  readonly limiters: readonly LimiterEntry[]
  readonly catalogue: Catalogue
  readonly options: ActOptions
  /** The entries that hold before the act. While the store is away: those that this process obeys. */
  readonly entries: readonly ControlEntry[]
  /** Why the store does not answer; undefined if it does. An act on entries holds in this process alone then. */
  readonly away: unknown
  /** Whom it is about, as the page shows it. */
  readonly who: string
  /** The key or the network that it is about; an empty text for an act about everybody. */
  readonly target: string
  /** @throws HaltError `HALT_E_OPERATOR` if the call names nobody */
  readonly identity: () => Identity
  /** @throws HaltError `HALT_E_OPERATOR` if the call names no policy */
  readonly policy: () => string
  /** @throws HaltError `HALT_E_OPERATOR` if the call has no units */
  readonly units: () => number
}

/** The result of an act. */
export interface Done {
  /** A sentence about the result. */
  readonly says: string
  /** `"process"` if it holds in this process alone, because the store has not taken it yet. */
  readonly scope?: 'process' | undefined
  /** The call that takes the act back, without its reason; undefined if nothing does. */
  readonly undo: ActCall | undefined
}

/** An act: what it will do, and how. */
export interface Act {
  /** Tells what the act will do, in a sentence. */
  says(acting: Acting): string
  perform(acting: Acting): Promise<Done>
}

/**
 * The call that takes an act on entries back.
 *
 * @param before the entry before the act; undefined if there was none
 * @param made the entry that the act has made; undefined if it ended one
 * @param end the act that ends an entry which replaced none
 */
export function undoOf(
  before: ControlEntry | undefined,
  made: ControlEntry | undefined,
  { call, control }: Acting,
  end: ActCall['act'],
): ActCall {
  const { kind, policy = call.policy, numbers, until, target } = before ?? {}
  return {
    act: kind ?? end,
    ...(call.whom === undefined ? {} : { whom: call.whom }),
    ...(policy === undefined ? {} : { policy }),
    ...(numbers === undefined ? {} : { numbers }),
    ...(until === undefined ? {} : { until }),
    // The entry stood already, so somebody has meant it.
    ...(needsForce(control, target) ? { force: true } : {}),
    replaces: made === undefined ? null : factsOf(made),
  }
}

/** The part of an entry that tells it from others in its place. It names no client. */
function factsOf({ at, until, by, reason, numbers }: ControlEntry): EntryFacts {
  return { at, until, by, reason, numbers }
}

/** Whether the end of an entry, which was carried out just now, holds in this process alone. */
export function scopeOfEnd({ isAhead }: Control): Done['scope'] {
  return isAhead ? 'process' : undefined
}

function needsForce(control: Control, target: string | undefined): boolean {
  return target !== undefined && isNetwork(target) && control.sizeOf({ ip: target })?.needsForce === true
}

/** Writes numbers as a sentence holds them: `limit 50, window 1m`. */
export function inWords(numbers: PolicyNumbers = {}): string {
  return Object.entries(numbers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}
