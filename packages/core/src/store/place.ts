import type { Rule } from '../algorithms/index.ts'
import { type Store, type CounterId, type Group, Mode, type StoreMark } from './contract.ts'
import type { Evaluation } from './evaluation.ts'
import { LOOK_RULE } from './known-groups.ts'

type Placed = Pick<Store, 'place' | 'kind'>

/**
 * Whether two stores may share their data. They do not if both know a part of their places, and the parts differ. A store that tells no
 * place may share its data with every other one, so that nobody is warned falsely.
 */
export function mayShareData(a: Placed, b: Placed): boolean {
  if (a === b) return true
  const [own, other] = [placeOf(a), placeOf(b)]
  return own.every((part, i) => part === undefined || other[i] === undefined || part === other[i])
}

/** The place of a store in words: `a redis store with the prefix "halt:" at localhost:6379/0`. */
export function placeInWords(store: Placed): string {
  const [kind = store.kind ?? 'custom', prefix, server] = placeOf(store)
  return [
    `a ${String(kind)} store`,
    ...(typeof prefix === 'string' ? [`with the prefix ${JSON.stringify(prefix)}`] : []),
    ...(typeof server === 'string' ? [`at ${server}`] : []),
  ].join(' ')
}

function placeOf({ place }: Placed): readonly unknown[] {
  return Array.isArray(place) ? place : []
}

/** The rule of a window that the first call opens, and that ends when nobody needs it any more: in 31 years. */
const MARK_RULE: Rule = { ...LOOK_RULE, counter: 'mark:f', window: 1e15, slice: 1e15 }

/**
 * Makes a mark that is a counter among the others. The first call opens its window, and so writes the instant of the call, in
 * microseconds; all later ones are refused and only read it.
 *
 * @param subject the client that the counter is kept for, which chooses the node
 */
export function counterMark(
  evaluate: (group: Group) => Evaluation | Promise<Evaluation>,
  subject = 'halt',
): StoreMark {
  const demand = { rule: MARK_RULE, subject, cost: 1, mode: Mode.CHARGE, penalized: false }
  return { read: async () => `${(await evaluate({ demands: [demand] })).states[0]?.[1]}` }
}

/** The names of the counter that {@link counterMark} makes for no subject of its own. */
export const MARK_COUNTER: CounterId = { subject: 'halt', counter: MARK_RULE.counter }
