import {
  evaluateAcross,
  type Evaluation,
  type Group,
  inDoubt,
  type NodeOf,
  nodesOf,
  type Send,
} from '@halt/core/store'

import { toStoreError } from './connection/index.ts'
import { type KeyWriter, slotOf } from './keys.ts'

/** The hash slots of all keys of a group. */
export function slotsOf(group: Group, key: KeyWriter): number[] {
  return nodesOf(group, slots(key))
}

/** Evaluates a group whose keys are in several hash slots, as {@link evaluateAcross} does. */
export function evaluateAcrossSlots(group: Group, key: KeyWriter, send: Send<number>): Promise<Evaluation> {
  return evaluateAcross(group, slots(key), send, error => inDoubt(toStoreError(error)))
}

function slots(key: KeyWriter): NodeOf<number> {
  return (subject, counter) => slotOf(key(subject, counter))
}
