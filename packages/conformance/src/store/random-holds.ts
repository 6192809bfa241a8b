import { algorithms, codes, type Demand, type Group, Mode, type Terms } from '@halt/core/store'

import type { Charged } from './charged.ts'
import type { Pick } from './random-terms.ts'

const SECOND = 1e6
const TIMES = [0.4, 1, 1.3, 2, 3, 4.7, 7, 11, 30, 61, 300, 86_400].map(seconds => seconds * SECOND)

/** Picks how long a call holds units of a quota, and the fewest that it accepts. */
export function randomHold(random: () => number, pick: Pick, cost: number): Terms {
  return { keptFor: pick(TIMES), least: cost > 1 && random() < 0.2 ? 1 : undefined }
}

/**
 * Picks what a call does with units that it holds: pays with them, holds them longer, settles, or gives them back. Sometimes it
 * claims more than it holds, or units that ended. Empty if no call of the past holds units.
 */
export function randomUseOfHold(random: () => number, pick: Pick, past: readonly Charged[]): Group[] {
  const holding = past.filter(({ group }) => group.demands.some(isHold))
  if (holding.length === 0) return []
  const { group, evaluation } = pick(holding)
  const demands = group.demands.filter(isHold).map((charged): Demand => {
    const { keptFor = 0 } = charged.terms ?? {}
    const state = evaluation.states[group.demands.indexOf(charged)] ?? []
    const end = algorithms.q.holds?.end(state, evaluation.now, keptFor) ?? 0
    const held = {
      to: random() < 0.9 ? end : end + pick([-1, 1, 50_000]),
      units: pick([charged.cost, charged.cost, 1, 2 * charged.cost]),
    }
    const cost = pick([0, 1, charged.cost, charged.cost + 1, 12])
    const chargedTo = state[1] ?? 0
    const act = pick(['pay', 'extend', 'settle', 'refund', 'cancel', 'look'])
    const least = cost > 1 && random() < 0.4 ? 1 : undefined
    const changes: Partial<Demand> =
      act === 'pay'
        ? { mode: pick([Mode.CHARGE, Mode.CHARGE, Mode.SHADOW]), cost, terms: { held, least } }
        : act === 'extend'
          ? {
              mode: Mode.CHARGE,
              cost: held.units,
              terms: { held, least, keptFor: pick([keptFor, ...TIMES]) },
            }
          : act === 'settle'
            ? { mode: Mode.SETTLE, cost, chargedTo, terms: { held } }
            : act === 'refund'
              ? { mode: Mode.SETTLE, cost: -cost, chargedTo, terms: { held } }
              : act === 'cancel'
                ? { mode: Mode.SETTLE, cost: 0, chargedTo, terms: { held } }
                : { mode: Mode.PEEK, terms: undefined }
    return { ...charged, ...changes }
  })
  return [{ demands, penalty: undefined }]
}

function isHold({ rule, mode, cost, terms }: Demand): boolean {
  return rule.code === codes.quota && mode === Mode.CHARGE && cost > 0 && (terms?.keptFor ?? 0) > 0
}
