import {
  checkNames,
  describe,
  type Duration,
  fail,
  type Fields,
  fromCaller,
  type HaltError,
  isDocumentName,
  messageOf,
  namesOf,
  parseDuration,
  type Store,
  type StoreDocument,
  type Warn,
  type WarnOnce,
  warnOnce,
} from '@halt/core/gate'
import { documentsOf, readText, updateText } from '../store-calls.ts'
import { fitsReport, MAX_REPORT, type ProcessReport, readReports, writeReports } from './report-document.ts'

/** Options of {@link Reports}. */
export interface ReportsOptions {
  /** A store with `document()`. The processes that use it share their reports. */
  readonly store: Store
  /** The name of the document: 1 to 32 lower-case letters, digits and hyphens, the first a letter. */
  readonly name: string
  /** How often the process means to publish. A process that is silent for ten such beats is left out. Default 2 s. */
  readonly every?: Duration | undefined
  /** Receives each warning once. Default `process.emitWarning`. */
  readonly warn?: Warn | undefined
}

const OPTIONS = namesOf<ReportsOptions>({ store: true, name: true, every: true, warn: true })
/** How many beats a process may be silent. */
const SILENT_BEATS = 10
/** How often a report is written while other processes write theirs. */
const ATTEMPTS = 8

/**
 * Shares a small text of this process with the other processes of a store, such as the figures of a page that shows them all.
 *
 * At most 64 processes are kept, and a report has at most 16 000 characters. It has no timer. With a store of this process alone it
 * shares with nobody.
 *
 * @throws HaltError `HALT_E_OPTION` if the store has no documents, or the name cannot name one
 * @example
 * const reports = new Reports({ store, name: 'figures' })
 * await reports.publish(JSON.stringify({ allowed: 12 }))
 * const all = await reports.read()
 */
export class Reports {
  readonly #document: StoreDocument
  readonly #lifeSigns: LifeSigns
  readonly #warn: WarnOnce
  #id: string | undefined
  #processes = 1

  constructor(options: ReportsOptions) {
    const { document, everyMs } = fromCaller(Reports, () => read(options))
    this.#document = document
    this.#lifeSigns = new LifeSigns(everyMs * SILENT_BEATS)
    this.#warn = warnOnce(options.warn)
  }

  /** The id of this process in its reports. */
  get process(): string {
    // Drawn on first read, because a Worker may not draw while it starts.
    return (this.#id ??= crypto.randomUUID())
  }

  /** How many processes published, when this one last did: itself, and the others that were alive. */
  get processes(): number {
    return this.#processes
  }

  /** Replaces the report of this process. Never rejects: the first failure becomes the warning `HALT_W_REPORTS`. */
  async publish(text: string): Promise<void> {
    if (!fitsReport(text)) return this.#fail(`the report is longer than ${MAX_REPORT} characters`)
    try {
      await this.#update(others => [...others, { process: this.process, at: Date.now(), text }])
    } catch (error) {
      // Where many processes write at once, this one writes with the next beat.
      if ((error as Partial<HaltError>).code !== 'HALT_E_STORE_BUSY') this.#fail(messageOf(error))
    }
  }

  /** Takes the report of this process back. Never rejects. */
  async withdraw(): Promise<void> {
    try {
      await this.#update(others => others)
    } catch {
      // The other processes leave it out after ten beats.
    }
  }

  /** The reports of the processes that are alive, this one included. Rejects with `HALT_E_STORE` if the store does not answer. */
  async read(): Promise<readonly ProcessReport[]> {
    const { text } = await readText(this.#document)
    return this.#lifeSigns.alive(readReports(text))
  }

  async #update(change: (others: readonly ProcessReport[]) => readonly ProcessReport[]): Promise<void> {
    const write = (text: string): string => {
      const others = readReports(text).filter(({ process }) => process !== this.process)
      const alive = this.#lifeSigns.alive(others)
      this.#processes = alive.length + 1
      return writeReports(change(alive))
    }
    await updateText(this.#document, ATTEMPTS, ({ text }) => write(text), true)
  }

  #fail(why: string): void {
    this.#warn({
      code: 'HALT_W_REPORTS',
      message: `This process cannot share its report: ${why}.`,
      fix: 'Check that the store is reachable; other processes do not see this one until then.',
    })
  }
}

function read(options: ReportsOptions): { document: StoreDocument; everyMs: number } {
  checkNames(options as unknown as Fields, OPTIONS, 'Reports')
  const { store, name, every = '2s' } = options
  const document = documentsOf(store)
  if (!isDocumentName(name) || name.startsWith('control'))
    fail('HALT_E_OPTION', `The name of the reports is ${describe(name)}.`, 'Give a name such as "figures".')
  return {
    document: document(name),
    everyMs: parseDuration(every, 'every') / 1000,
  }
}

/** How far apart the clocks of two processes may be before a first look misjudges a report, in milliseconds. */
const CLOCK_TOLERANCE_MS = 60_000

interface Sign {
  readonly at: number
  readonly seenAt: number
}

/**
 * Says which processes still write their reports. It compares the times of a process only with each other, so clocks that are apart
 * do not matter. At the first look at a report it knows nothing else, and compares with its own clock, with a tolerance of a minute.
 */
class LifeSigns {
  readonly #staleMs: number
  #signs = new Map<string, Sign>()

  /** @param staleMs how long a process may be silent, in milliseconds */
  constructor(staleMs: number) {
    this.#staleMs = staleMs
  }

  /** The reports of the processes that are alive. */
  alive(reports: readonly ProcessReport[], now: number = Date.now()): readonly ProcessReport[] {
    const signs = new Map<string, Sign>()
    const alive = reports.filter(({ process, at }) => {
      const known = this.#signs.get(process)
      if (known?.at === at) {
        signs.set(process, known)
        return now - known.seenAt <= this.#staleMs
      }
      const isOld = known === undefined && Math.abs(now - at) > this.#staleMs + CLOCK_TOLERANCE_MS
      signs.set(process, { at, seenAt: isOld ? Number.NEGATIVE_INFINITY : now })
      return !isOld
    })
    this.#signs = signs
    return alive
  }
}
