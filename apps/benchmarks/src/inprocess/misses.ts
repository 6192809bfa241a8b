import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { runChild } from '../child.ts'
import type { App } from '../contestants/apps/index.ts'
import { median } from '../cpu.ts'
import { CONNECTIONS } from './client.ts'

/** The inline-cache misses per request, by the property: `socket` for a read, `set halt` for a write. */
export type Misses = ReadonlyMap<string, number>

/** The rounds of a child process. The warm-up is longer than the 1000 requests in which Halt looks for mistakes in a set-up. */
const WARM = 18
const COUNTED = 5

/**
 * Counts the inline-cache misses per request of an app in a steady state, as V8 logs them in a process of its own.
 *
 * @param script the URL of `misses-run`, or its path from the built sources
 * @param flags more flags for the process
 */
export async function countMisses(
  app: App,
  script: string = 'inprocess/misses-run.js',
  flags: readonly string[] = [],
): Promise<Misses> {
  const folder = await mkdtemp(join(tmpdir(), 'halt-misses-'))
  try {
    const args = [JSON.stringify(app), String(WARM), String(COUNTED)]
    await runChild(script, args, ['--log-ic', `--logfile=${join(folder, 'v8.log')}`, ...flags])
    // Each thread with JavaScript has a log of its own. Only that of the server has marks.
    const logs = (await readdir(folder)).map(name => readRounds(join(folder, name)))
    const rounds = (await Promise.all(logs)).flat().slice(-COUNTED)
    if (rounds.length < COUNTED) throw new Error('The logs of V8 have no marks.')
    return perRequest(rounds)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The misses that a limiter adds to the bare app: their number, and the names of the properties, each as often as missed. */
export function addedMisses(
  bare: Misses,
  limited: Misses,
): { readonly count: number; readonly names: string[] } {
  let count = 0
  const names: string[] = []
  for (const name of new Set([...bare.keys(), ...limited.keys()])) {
    const more = (limited.get(name) ?? 0) - (bare.get(name) ?? 0)
    count += more
    for (let i = 0; i < more; i++) names.push(name)
  }
  return { count, names: names.toSorted() }
}

/** The sum over all properties. */
export function totalOf(misses: Misses): number {
  return [...misses.values()].reduce((sum, each) => sum + each, 0)
}

// The median of the rounds, rounded, because a miss of each request is a whole number, and other misses are rare.
function perRequest(rounds: readonly Map<string, number>[]): Misses {
  const names = new Set(rounds.flatMap(round => [...round.keys()]))
  const found = [...names].map((name): [string, number] => {
    const each = median(rounds.map(round => round.get(name) ?? 0))
    return [name, Math.round(each / CONNECTIONS)]
  })
  return new Map(found.filter(([, count]) => count > 0))
}

// A line of the log: kind, address, time, line, column, old state, new state, hidden class, property, …
const MISS = /^(\w*IC),(?:[^,]*,){7}([^,]+),/
const MARK = 'haltMark'

/** The misses between each two marks of the log, by name. */
async function readRounds(log: string): Promise<Map<string, number>[]> {
  const rounds: Map<string, number>[] = []
  let current = new Map<string, number>()
  for await (const line of createInterface({ input: createReadStream(log, 'latin1') })) {
    const [, kind, property = ''] = MISS.exec(line) ?? []
    if (kind === undefined) continue
    if (property === MARK) {
      rounds.push(current)
      current = new Map()
      continue
    }
    // The hash of a symbol differs in each process.
    const plain = property.replace(/^symbol\("(.*)" hash \w+\)$/, '[$1]')
    const name = kind.includes('Load') ? plain : `set ${plain}`
    current.set(name, (current.get(name) ?? 0) + 1)
  }
  return rounds
}
