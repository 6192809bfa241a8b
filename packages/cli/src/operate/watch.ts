import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Reports } from '@halt/control'

import type { Opened } from './store.ts'

/** The documents by which processes with an operator's page share their numbers while somebody watches. */
const [WATCHED, NUMBERS] = ['operator-watched', 'operator-numbers'] as const
/** The version of their form. Reports of another version are left out. */
const FORM = 3
/** How long reports are waited for: processes look every two seconds whether somebody watches. Milliseconds. */
const PATIENCE_MS = 6_000
const STEP_MS = 250
/** How many clients the document names, as the pages do. */
const MOST_CLIENTS = 16

/** The numbers that processes have told, and how many processes have told all that was asked. */
export interface Told {
  readonly numbers: readonly Readonly<Record<string, unknown>>[]
  readonly processes: number
}

/**
 * Watches as the operator's page does: tells the processes so, and waits until all that live have told their numbers.
 *
 * @param tokens name a client at which this command looks, so that the processes tell what they know of it
 */
export async function watch(
  { store, address }: Pick<Opened, 'store' | 'address'>,
  tokens: readonly string[] = [],
): Promise<Told> {
  // Nobody would answer.
  if (address.processes === 0) return { numbers: [], processes: 0 }
  const reports = new Reports({ store, name: NUMBERS, warn: () => {} })
  const last = new Map((await reports.read()).map(({ process, at }) => [process, at]))
  await tell(store, tokens)
  // A process that was about to write has not read of the client yet, so that its second report tells.
  const needed = tokens.length === 0 ? 1 : 2
  const writes = new Map<string, number>()
  let [numbers, processes]: [Told['numbers'], number] = [[], 0]
  for (let waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
    await sleep(STEP_MS)
    const all = await reports.read()
    for (const { process, at } of all) {
      if (last.get(process) !== at) writes.set(process, (writes.get(process) ?? 0) + 1)
      last.set(process, at)
    }
    const fresh = all.filter(({ process }) => writes.has(process))
    numbers = fresh.map(({ text }) => numbersIn(text)).filter(each => each !== undefined)
    processes = fresh.filter(({ process, text }) => {
      const isLate = (writes.get(process) ?? 0) >= needed
      return isLate || (tokens.length > 0 && hasToken(numbersIn(text)?.['counted'], tokens))
    }).length
    if (processes >= (address.processes ?? Number.POSITIVE_INFINITY)) break
  }
  return { numbers, processes }
}

/** The version of the document says that somebody watches, and its text the tokens of the clients at which somebody looks. */
async function tell(store: Opened['store'], added: readonly string[]): Promise<void> {
  const document = store.document(WATCHED)
  const found = await document.read()
  const others = tokensIn(found?.text ?? '').filter(other => !added.some(token => token === other))
  const tokens = [...others, ...added].slice(-MOST_CLIENTS)
  // If another one wrote meanwhile, it has told that somebody watches.
  await document.write(JSON.stringify({ tokens }), found?.version ?? '0')
}

/** Names a client in these documents, so that its key does not stand there in clear. The pages make the same. */
export function tokenOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 22)
}

function tokensIn(text: string): unknown[] {
  try {
    const { tokens } = JSON.parse(text) as { tokens?: unknown }
    return Array.isArray(tokens) ? tokens : []
  } catch {
    return []
  }
}

/** The numbers in a report; undefined if it is broken, or of another version. */
function numbersIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const numbers = JSON.parse(text) as Readonly<Record<string, unknown>> | null
    return numbers?.['halt'] === FORM ? numbers : undefined
  } catch {
    return undefined
  }
}

function hasToken(counted: unknown, tokens: readonly unknown[]): boolean {
  return (
    Array.isArray(counted) &&
    counted.some(each => tokens.includes((each as { token?: unknown } | null)?.token))
  )
}
