import { describe } from '../duration.ts'
import type { Warn } from '../errors.ts'

/** Warns of a cost by policy name that names none of the policies it is for: each then takes its own. */
export function noticeCostNames(
  cost: Readonly<Record<string, unknown>>,
  policies: readonly { readonly name: string }[],
  warn: Warn,
): void {
  const names = Object.keys(cost)
  if (names.length === 0 || policies.some(({ name }) => Object.hasOwn(cost, name))) return
  warn({
    code: 'HALT_W_COST_NAMES',
    message: `A cost names ${names.map(name => describe(name)).join(', ')}, and none of the policies it is for: they took their own cost.`,
    fix: `Name them: ${policies.map(({ name }) => name).join(', ')}.`,
  })
}
