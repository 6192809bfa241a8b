// Random stories of a class: plays some and fails with the first that breaks a promise, or surveys many.
import fc from 'fast-check'

import { seed } from '../../../../../tools/chance.ts'
import { isFull } from '../../../../../tools/full.ts'
import { type Length, show, type Shown } from './play.ts'
import type { Class } from './setups.ts'

const SHORT: Length = { starts: 30, mostMs: 40_000, looks: 100 }
const LONG: Length = { starts: 300, mostMs: 600_000, looks: 4000 }

/** Whether many stories are played and counted, instead of failing with the first that breaks a promise. */
const isSurvey = process.env['HALT_SURVEY'] === '1'

const textOf = (name: string): string | undefined => process.env[name] || undefined
const counted = textOf('HALT_HISTORIES')

/** The classes that `HALT_KIND` names, by a part of their names; without it all. */
export function chosen(classes: readonly Class[]): readonly Class[] {
  return classes.filter(({ name }) => name.includes(textOf('HALT_KIND') ?? ''))
}

/** Whether operators act in a class. Such classes need a `Control`, so the package of that name plays them. */
export function hasOperators({ name }: Class): boolean {
  return /limit changes|blocked/.test(name)
}

/**
 * Plays random stories of a class, and fails with the seed of the first that breaks a promise. `HALT_HISTORIES=n` plays n,
 * `HALT_KIND=text`, `HALT_SEED=n` and `HALT_PATH=text` the one that a failure names, and `HALT_SURVEY=1` all, and prints a table;
 * `HALT_SAY=1` prints what was wrong with each as well.
 */
export async function playStories({ name, stories }: Class, runs: number): Promise<void> {
  const numRuns = counted === undefined ? (isFull ? runs * 20 : runs) : Number(counted)
  const length = isFull ? LONG : SHORT
  if (isSurvey) return survey(name, fc.sample(stories, { numRuns, seed }), length)
  const path = textOf('HALT_PATH')
  await fc.assert(
    fc.asyncProperty(stories, async story => {
      const { said } = await show(story, length)
      if (said.length > 0)
        throw new Error(
          `${said.join('\n')}\nPlay it again: ${isFull ? 'HALT_FULL=1 ' : ''}HALT_KIND='${name}' and the seed and path above.`,
        )
    }),
    { numRuns, endOnFailure: textOf('HALT_SHRINK') !== '1', ...(path === undefined ? {} : { path }) },
  )
}

const rows: Row[] = []
type Row = Readonly<Record<string, string | number>>

async function survey(name: string, stories: readonly Parameters<typeof show>[0][], length: Length) {
  const shown: Shown[] = []
  const wrong = new Map<string, number>()
  for (const [i, story] of stories.entries()) {
    const one = await show(story, length)
    shown.push(one)
    for (const what of new Set(one.said.map(text => text.replace(/(?::| of ).*/, ''))))
      wrong.set(what, (wrong.get(what) ?? 0) + 1)
    if (one.said.length > 0 && textOf('HALT_SAY') !== undefined)
      console.log(`HALT_SEED=${seed} HALT_PATH=${i} ${fc.stringify(story)}\n  ${one.said.join('\n  ')}`)
  }
  rows.push(rowOf(name, shown))
  console.log(`${name}: of ${shown.length} stories ${JSON.stringify(Object.fromEntries(wrong))}`)
}

function rowOf(name: string, shown: readonly Shown[]): Row {
  const judged = shown.filter(({ isDueJudged, due }) => isDueJudged && due > 0)
  // Of a few that are due, one that is late would be a large share.
  const shares = judged.filter(({ due }) => due >= 20).map(({ starts, due }) => starts / due)
  const all = (list: readonly Shown[], of: (one: Shown) => number): number =>
    list.reduce((total, one) => total + of(one), 0)
  const sum = (of: (one: Shown) => number): number => all(shown, of)
  const most = (of: (one: Shown) => number): number => Math.max(0, ...shown.map(of))
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
  const calls = shown.map(one => one.callsPerStart).toSorted((a, b) => a - b)
  return {
    class: name,
    stories: shown.length,
    wrong: shown.filter(({ said }) => said.length > 0).length,
    'of due':
      judged.length === 0
        ? '-'
        : percent(all(judged, one => Math.min(one.starts, one.due)) / all(judged, one => one.due)),
    'least of due': shares.length === 0 ? '-' : percent(Math.min(...shares)),
    'above, fast': most(one => one.excessOfFast).toFixed(2),
    'above, slow': most(one => one.excessOfSlow).toFixed(2),
    'in time, units': most(one => one.excessInTime).toFixed(2),
    'calls a start': `${calls[calls.length >> 1]?.toFixed(2)} (${calls.at(-1)?.toFixed(1)})`,
    'calls an ask': (
      sum(one => one.callsPerStart * one.starts) /
      Math.max(
        1,
        sum(one => one.asks),
      )
    ).toFixed(2),
    refused: sum(one => one.refused),
    late: sum(one => one.refusedLate),
    untrue: sum(one => one.untrue),
    left: most(one => one.leftover),
    overtaken: most(one => one.overtaken),
  }
}

/** Prints the table of a survey. */
export function printSurvey(): void {
  if (isSurvey) console.table(rows)
}
