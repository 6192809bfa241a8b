import { type Timer, eventLoop } from '../base/event-loop.ts'
import { HaltError, messageOf } from '../base/errors.ts'
import { within } from '../base/timers.ts'
import type { WarnOnce } from '../base/warnings.ts'
import type { Store } from '../store/contract.ts'
import type { StoreDocument, VersionedText } from '../store/document.ts'
import { learnTime } from '../store/learn-time.ts'
import { CALL_TIMEOUT_MS, lateCall, readText, updateText } from '../store/shared-text.ts'
import { type StoreClock, storeClockOf } from '../store/store-clock.ts'
import { ControlState } from './control-state.ts'
import type { PolicyWatch } from './policy-watch.ts'
import { readEntries, readHistory, writeEntries, writeHistory } from './control-text.ts'
import type { ControlAct, ControlEntry } from './entries.ts'

/** How often the document is read, in milliseconds. */
const BEAT_MS = 1_000
/** How often an act is tried while other operators act. */
const ATTEMPTS = 32

/** The control document of a store: read once a second, and written only if nobody else has written meanwhile. */
export class Ledger {
  /** The last good entries, ready to be looked up; undefined if there are none. */
  state: ControlState | undefined
  /** Why the last document could not be read; undefined if it could. */
  problem: string | undefined
  /** The clock by which entries begin and end: the store's. */
  readonly clock: StoreClock
  readonly #store: Store
  readonly #entries: StoreDocument
  readonly #history: StoreDocument
  readonly #warn: WarnOnce
  readonly #watch: PolicyWatch
  #version: number | undefined
  #timer: Timer | number | undefined
  #isReading = false
  #isTimeKnown = false
  #isClosed = false

  constructor(store: Store & Pick<Required<Store>, 'document'>, warn: WarnOnce, watch: PolicyWatch) {
    this.clock = storeClockOf(store)
    this.#store = store
    this.#entries = store.document('control')
    this.#history = store.document('control-history')
    this.#warn = warn
    this.#watch = watch
    void this.#look()
    this.#beat()
  }

  /** The entries, as the store has them now. */
  async read(): Promise<readonly ControlEntry[]> {
    return this.#accept(await readText(this.#entries))
  }

  /** The time of an act, in Unix milliseconds. Asks the store, because the clock of an operator's process may be wrong. */
  async askTime(): Promise<number> {
    if (await learnTime(this.#store, this.clock)) this.#isTimeKnown = true
    return this.clock.now()
  }

  /**
   * Changes the entries. `change` returns the new ones, or undefined if there is nothing to change. It is called again if another
   * operator has acted meanwhile.
   *
   * @param now the time of the act
   */
  async edit(
    now: number,
    change: (entries: readonly ControlEntry[]) => readonly ControlEntry[] | undefined,
  ): Promise<void> {
    await updateText(this.#entries, ATTEMPTS, found => {
      const entries = change(readOrFail(found))
      return entries === undefined ? undefined : writeEntries(entries, now)
    })
    await this.read()
  }

  /** Adds an act to the history. */
  async note(act: ControlAct): Promise<void> {
    await updateText(this.#history, ATTEMPTS, ({ text }) => writeHistory([...readHistory(text), act]))
  }

  /** The acts, the latest last. */
  async history(): Promise<readonly ControlAct[]> {
    return readHistory((await readText(this.#history)).text)
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== undefined) eventLoop.cancel(this.#timer)
  }

  #beat(): void {
    this.#timer = eventLoop.after(BEAT_MS, () => {
      void this.#look().finally(() => {
        this.#watch.beat(this.state)
        if (!this.#isClosed) this.#beat()
      })
    })
    if (typeof this.#timer === 'object') this.#timer.unref?.()
  }

  async #look(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    try {
      const found = await within(
        Promise.resolve(this.#entries.read(this.#version)),
        CALL_TIMEOUT_MS,
        lateCall,
        true,
      )
      if (found !== undefined) await this.#accept(found, true)
    } catch {
      // The last document holds while the store is away. The limiters tell of the outage.
    } finally {
      this.#isReading = false
    }
  }

  /** Takes a document over. Asks the store for the time before the first one that is not empty. */
  async #accept(found: VersionedText, quiet = false): Promise<readonly ControlEntry[]> {
    if (this.#isTimeKnown || found.text === '') return this.#take(found)
    const before = this.#version
    this.#isTimeKnown = await learnTime(this.#store, this.clock, quiet)
    // Meanwhile an act of this process may have taken a later one over.
    return this.#version === before ? this.#take(found) : this.read()
  }

  /** Takes a document over. A broken one changes nothing. */
  #take(found: VersionedText): readonly ControlEntry[] {
    try {
      const entries = readEntries(found.text)
      if (found.version !== this.#version) {
        const misfit = this.#watch.misfit.bind(this.#watch)
        this.state = entries.length === 0 ? undefined : new ControlState(entries, misfit)
        this.#version = found.version
      }
      this.problem = undefined
      return entries
    } catch (error) {
      this.#version = found.version
      this.problem = messageOf(error)
      this.#warn({
        code: 'HALT_W_CONTROL',
        message: `The control document cannot be read: ${messageOf(error)}. The last good one holds.`,
        fix: 'Let all processes run one version of Halt, or delete the document "control" of the store and act again.',
      })
      return []
    }
  }
}

function readOrFail({ text }: VersionedText): readonly ControlEntry[] {
  try {
    return readEntries(text)
  } catch (error) {
    throw new HaltError(
      'HALT_E_CONTROL',
      `The control document cannot be read: ${messageOf(error)}.`,
      'Let all processes run one version of Halt, or delete the document "control" of the store and act again.',
    )
  }
}
