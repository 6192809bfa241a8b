// Random histories of a kind, on any store. Packages of stores import it.
import fc from 'fast-check'

import { seed } from '../../../../tools/chance.ts'
import { isFull } from '../../../../tools/full.ts'
import { historiesOf, type History, type Kind, KINDS } from './kinds.ts'
import { judge, type Stage } from './play.ts'

/** A number from the environment. */
const numberOf = (name: string): number | undefined => {
  const text = process.env[name]
  return text === undefined || text === '' ? undefined : Number(text)
}

/** The kinds that `HALT_KIND` names, by a part of their names; without it all. */
export const chosenKinds: readonly Kind[] = KINDS.filter(({ name }) =>
  name.includes(process.env['HALT_KIND'] ?? ''),
)

/** Whether a kind can happen to a store that is in the process itself: nothing fails over or hangs, and nobody else ends. */
export function withoutServer({ name }: Kind): boolean {
  return !/fails over|hangs|close|killed|all of it/.test(name)
}

/** Whether operators act in a kind. Such kinds need a `Control`, so the package of that name and the stores play them. */
export function hasOperators({ by }: Kind): boolean {
  return by === 'control'
}

/**
 * Plays random histories of a kind, and fails with the seed of the first that breaks a promise.
 *
 * `HALT_HISTORIES=n` plays n of each kind, `HALT_KIND=text` those kinds, `HALT_SEED=n` and `HALT_PATH=text` the history that a
 * failure names, `HALT_SHRINK=1` looks for a shorter one that fails, too, and `HALT_SURVEY=1` plays all and counts what was wrong.
 */
export async function playHistories(
  kind: Kind,
  { runs = 12, size, ...stage }: Stage & { readonly runs?: number; readonly size?: number } = {},
): Promise<void> {
  const numRuns = numberOf('HALT_HISTORIES') ?? (isFull ? runs * 50 : runs)
  const path = process.env['HALT_PATH']
  if (process.env['HALT_SURVEY'] === '1') return survey(kind, { numRuns, size, stage })
  await fc.assert(
    fc.asyncProperty(historiesOf(kind, size), async (history: History) => {
      const wrong = await judge(kind, history, stage)
      if (wrong.length > 0)
        throw new Error(
          `${wrong.join('\n')}\nPlay it again: HALT_KIND='${kind.name}' and the seed and path above.`,
        )
    }),
    {
      numRuns,
      endOnFailure: process.env['HALT_SHRINK'] !== '1',
      ...(path === undefined ? {} : { path }),
    },
  )
}

/** Plays all, and prints in how many histories each promise was broken, and which. */
async function survey(
  kind: Kind,
  { numRuns, size, stage }: { numRuns: number; size: number | undefined; stage: Stage },
): Promise<void> {
  const counts = new Map<string, number>()
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1)
  for (const [i, history] of fc.sample(historiesOf(kind, size), { numRuns, seed }).entries()) {
    const wrong = await judge(kind, history, stage)
    if (wrong.length === 0) continue
    count('any')
    for (const what of new Set(wrong.map(text => text.replace(/:? .*/, '')))) count(what)
    console.log(`HALT_SEED=${seed} HALT_PATH=${i} ${fc.stringify(history)}\n${wrong.join('\n')}`)
  }
  console.log(`${kind.name}: of ${numRuns} histories ${JSON.stringify(Object.fromEntries(counts))}`)
}
