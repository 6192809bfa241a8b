// Random histories of a kind, on any store. Packages of stores import it.
import fc from 'fast-check'

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

/**
 * Plays random histories of a kind, and fails with the seed of the first that breaks a promise.
 *
 * `HALT_HISTORIES=n` plays n of each kind, `HALT_KIND=text` those kinds, `HALT_SEED=n` and `HALT_PATH=text` the history that a
 * failure names, `HALT_SHRINK=1` looks for a shorter one that fails, too, and `HALT_SURVEY=1` plays all and counts what was wrong.
 */
export async function playHistories(
  kind: Kind,
  { runs = 30, size, ...stage }: Stage & { readonly runs?: number; readonly size?: number } = {},
): Promise<void> {
  const numRuns = numberOf('HALT_HISTORIES') ?? (isFull ? runs * 20 : runs)
  const [seed, path] = [numberOf('HALT_SEED'), process.env['HALT_PATH']]
  if (process.env['HALT_SURVEY'] === '1')
    return survey(kind, fc.sample(historiesOf(kind, size), numRuns), stage)
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
      ...(seed === undefined ? {} : { seed }),
      ...(path === undefined ? {} : { path }),
    },
  )
}

/** Counts in how many histories each promise was broken. */
async function survey(kind: Kind, histories: readonly History[], stage: Stage): Promise<void> {
  const counts = new Map<string, number>()
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1)
  for (const history of histories) {
    const wrong = await judge(kind, history, stage)
    if (wrong.length > 0) count('any')
    if (process.env['HALT_SHOW'] === '1' && wrong.length > 0)
      console.log(`${fc.stringify(history)}\n${wrong.join('\n')}`)
    for (const what of new Set(wrong.map(text => text.replace(/:? .*/, '')))) count(what)
  }
  console.log(`${kind.name}: of ${histories.length} histories ${JSON.stringify(Object.fromEntries(counts))}`)
}
