import type { ActOptions, Control, ControlEntry, Identity, PolicyNumbers } from '@halt/core'

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

/** The call that puts an entry back; undefined without one. */
export function putBack(entry: ControlEntry | undefined, { call, control }: Acting): ActCall | undefined {
  if (entry === undefined) return undefined
  const { kind, policy, numbers, until } = entry
  return {
    act: kind,
    ...(kind === 'change' ? {} : { whom: call.whom }),
    ...(policy === undefined ? {} : { policy, numbers }),
    ...(until === undefined ? {} : { until }),
    // The entry stood already, so somebody has meant it.
    ...(needsForce(control, entry.target) ? { force: true } : {}),
  }
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
