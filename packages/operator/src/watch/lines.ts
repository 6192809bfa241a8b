import type { LineMessage } from '@halt/core'

/** The callers of one key that wait for one policy. */
export interface WaitingLine {
  readonly policy: string
  readonly key: string
  readonly callers: number
  /** Since when somebody waits without a break, in Unix milliseconds. */
  readonly since: number
  /** How long the last caller had waited whose turn came, in milliseconds. Undefined if nobody's turn has come since then. */
  readonly waitedMs: number | undefined
}

/** How many lines are shown. */
export const MOST_LINES = 10

type Entry = { -readonly [K in keyof WaitingLine]: WaitingLine[K] }

/** The callers of this process that wait, by key and policy. There are as many entries as keys wait, which the limiters bound. */
export class Lines {
  readonly #entries = new Map<string, Entry>()

  /** @param now Unix milliseconds */
  note(message: LineMessage, now: number): void {
    const { policy, key, event } = message
    const id = `${policy} ${key}`
    const entry = this.#entries.get(id)
    if (event === 'waiting') {
      if (entry === undefined)
        this.#entries.set(id, { policy, key, callers: 1, since: now, waitedMs: undefined })
      else entry.callers++
      return
    }
    // Whoever began to wait before the recording is not known here.
    if (entry === undefined) return
    if (event === 'turn') entry.waitedMs = message.waitedMs
    if (--entry.callers === 0) this.#entries.delete(id)
  }

  /** The longest lines, by the number of callers. */
  read(): WaitingLine[] {
    return longest([...this.#entries.values()].map(entry => ({ ...entry })))
  }
}

/** The lines of several processes together. */
export function mergeLines(all: readonly WaitingLine[]): WaitingLine[] {
  const merged = new Map<string, Entry>()
  for (const line of all) {
    const id = `${line.policy} ${line.key}`
    const known = merged.get(id)
    if (known === undefined) {
      merged.set(id, { ...line })
      continue
    }
    known.callers += line.callers
    known.since = Math.min(known.since, line.since)
    known.waitedMs = Math.max(known.waitedMs ?? -1, line.waitedMs ?? -1)
    if (known.waitedMs < 0) known.waitedMs = undefined
  }
  return longest([...merged.values()])
}

function longest(lines: WaitingLine[]): WaitingLine[] {
  return lines.sort((a, b) => b.callers - a.callers || a.since - b.since).slice(0, MOST_LINES)
}
