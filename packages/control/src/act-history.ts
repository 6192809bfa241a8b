import type { StoreDocument } from '@halt/core/gate'
import { readHistory, writeHistory } from './control-text.ts'
import type { ControlAct } from './entries.ts'
import { readText, updateText } from './store-calls.ts'

/** How often acts are written while other operators act. */
const ATTEMPTS = 32
/** The most acts that wait to be written. */
const MOST_PENDING = 1_000

/** The acts of operators, in a document of the store. Those that the store did not take are kept, and written later. */
export class ActHistory {
  readonly #document: StoreDocument
  #pending: ControlAct[] = []
  #writing: Promise<void> | undefined
  // A write that failed may have been carried out.
  #hasFailed = false

  constructor(document: StoreDocument) {
    this.#document = document
  }

  /** Whether acts wait to be written. */
  get isBehind(): boolean {
    return this.#pending.length > 0
  }

  /** The acts that the store has, the latest last. @throws HaltError `HALT_E_STORE` */
  async read(): Promise<readonly ControlAct[]> {
    return readHistory((await readText(this.#document)).text)
  }

  /** Keeps acts for the next write. */
  keep(acts: readonly ControlAct[]): void {
    this.#pending = [...this.#pending, ...acts].slice(-MOST_PENDING)
  }

  /** Adds one act, or none. @throws HaltError `HALT_E_STORE`, `HALT_E_STORE_BUSY` */
  async add(act: ControlAct): Promise<void> {
    this.keep([act])
    try {
      await this.write()
    } catch (error) {
      this.#pending = this.#pending.filter(other => other !== act)
      throw error
    }
  }

  /** Writes the acts that are kept. @throws HaltError `HALT_E_STORE`, `HALT_E_STORE_BUSY` */
  write(quiet = false): Promise<void> {
    return (this.#writing ??= this.#writeAll(quiet).finally(() => (this.#writing = undefined)))
  }

  async #writeAll(quiet: boolean): Promise<void> {
    while (this.#pending.length > 0) {
      const acts = this.#pending
      const mayBeThere = this.#hasFailed
      this.#hasFailed = true
      const change = (text: string): string => {
        const there = readHistory(text)
        const known = new Set(mayBeThere ? there.map(act => JSON.stringify(act)) : [])
        return writeHistory([...there, ...acts.filter(act => !known.has(JSON.stringify(act)))])
      }
      await updateText(this.#document, ATTEMPTS, ({ text }) => change(text), quiet)
      this.#hasFailed = false
      this.#pending = this.#pending.filter(act => !acts.includes(act))
    }
  }
}
