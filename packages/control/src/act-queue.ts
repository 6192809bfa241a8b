import { HaltError, messageOf, type Store } from '@halt/core/gate'
import type { ActHistory } from './act-history.ts'
import { type DocumentDraft, written } from './control-document.ts'
import { writeDocument } from './control-text.ts'
import { unreadableDocument } from './document-warnings.ts'
import type { ControlAct } from './entries.ts'
import type { Ledger, ReadDraft } from './ledger.ts'
import { busy, learnTime, readText, type Wait, writeText } from './store-calls.ts'

/** How often acts are tried while other operators act. */
const ATTEMPTS = 32
/** How long one call may take for acts that may hold here alone, in milliseconds, when the call before has failed. */
const AWAY_MS = 250

/** What an act has done. */
export interface Done<T> {
  readonly result: T
  /** The slots that it has changed. Empty if there was nothing to change. */
  readonly slots: readonly string[]
  readonly act: ControlAct
}

/** An act on the entries. */
export interface Change<T> {
  /**
   * Changes a draft, and tells what it did. It is called again if another operator has acted meanwhile.
   *
   * @param now the time of the act, in Unix milliseconds
   * @throws HaltError of a mistake in the act
   */
  readonly apply: (draft: DocumentDraft, now: number) => Done<T>
  /** Whether it may hold in this process alone while the store is away. */
  readonly mayHoldHere: () => boolean
}

interface Waiting {
  readonly change: Change<unknown>
  readonly resolve: (done: Done<unknown>) => void
  readonly reject: (error: unknown) => void
}

/** The acts of this process on the entries, carried out one batch after the other. A batch is one write. */
export class ActQueue {
  readonly #store: Store
  readonly #ledger: Ledger
  readonly #history: ActHistory
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(store: Store, ledger: Ledger, history: ActHistory) {
    this.#store = store
    this.#ledger = ledger
    this.#history = history
  }

  /** Carries an act out. Resolves when the store has taken it, or when it holds here alone. */
  add<T>(change: Change<T>): Promise<Done<T>> {
    return new Promise<Done<T>>((resolve, reject) => {
      this.#waiting.push({ change, resolve: resolve as Waiting['resolve'], reject })
      void this.#run()
    })
  }

  /** Gives the store the acts that it lost or did not take. Never rejects. */
  async catchUp(): Promise<void> {
    if (this.#ledger.isAhead) await (this.#running ??= this.#end(this.#carryOut([], { quiet: true })))
    if (this.#history.isBehind) await this.#history.write(true).catch(() => {})
  }

  #run(): Promise<void> {
    return (this.#running ??= this.#end(this.#runAll()))
  }

  async #end(work: Promise<void>): Promise<void> {
    await work.catch(() => {})
    this.#running = undefined
    if (this.#waiting.length > 0) void this.#run()
  }

  async #runAll(): Promise<void> {
    // Acts that are made at once come together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const acts = this.#waiting.splice(0)
      try {
        const isPatient = acts.some(({ change }) => !change.mayHoldHere())
        await this.#carryOut(acts, { ms: this.#ledger.isAway && !isPatient ? AWAY_MS : undefined })
      } catch (error) {
        // Such as a getter of the options that throws. The acts that come later must not wait for ever.
        for (const { reject } of acts) reject(error)
      }
    }
  }

  async #carryOut(acts: readonly Waiting[], wait: Wait): Promise<void> {
    let now = this.#ledger.clock.now()
    try {
      const { document, changes: before } = this.#ledger
      const [isTimeKnown, first] = await Promise.all([
        learnTime(this.#store, this.#ledger.clock, wait),
        readText(document, wait),
      ])
      this.#ledger.noteTime(isTimeKnown)
      now = this.#ledger.clock.now()
      // If a write fails, the acts hold here on top of what was read. A reading may have given a later document meanwhile.
      let found = first
      if (this.#ledger.changes === before) await this.#ledger.accept(first, wait)
      else found = await this.#ledger.read(wait)
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (attempt > 0) found = await this.#ledger.read(wait)
        const changes = this.#ledger.changes
        const read = this.#draftOf(found)
        const done = applyAll(acts, read.draft, now)
        const isChanged = [...done.values()].some(({ slots }) => slots.length > 0)
        if (!isChanged && read.missing.length === 0) return settle(done)
        const next = written(read.draft.toDocument(), read.found, this.#ledger.line)
        const version = await writeText(document, writeDocument(next, now), found.version, wait)
        if (version === undefined) continue
        // Meanwhile a reading may have given a later document.
        if (this.#ledger.changes === changes) this.#ledger.obey(next, version)
        else await this.#ledger.look()
        return await this.#tell(done, wait)
      }
      throw busy(ATTEMPTS)
    } catch (error) {
      await this.#failed(acts, now, wait, error as HaltError)
    }
  }

  #draftOf(found: Parameters<Ledger['draftOf']>[0]): ReadDraft {
    try {
      return this.#ledger.draftOf(found)
    } catch (error) {
      throw unreadableDocument(messageOf(error))
    }
  }

  /** Adds the acts to the history. They hold already, so a history that cannot be written is written later. */
  async #tell(done: ReadonlyMap<Waiting, Done<unknown>>, { quiet }: Wait): Promise<void> {
    const acts = [...done.values()].filter(({ slots }) => slots.length > 0).map(({ act }) => act)
    this.#history.keep(acts)
    if (acts.length > 0) await this.#history.write(quiet).catch(() => {})
    settle(done)
  }

  async #failed(acts: readonly Waiting[], now: number, wait: Wait, error: HaltError): Promise<void> {
    const { code } = error
    // Some acts may be too large for the document, and the others not. Halves find them in few writes.
    if (code === 'HALT_E_CONTROL_FULL' && acts.length > 1) {
      const half = acts.length >> 1
      await this.#carryOut(acts.slice(0, half), wait)
      await this.#carryOut(acts.slice(half), wait)
      return
    }
    const isAway = code === 'HALT_E_STORE' || code === 'HALT_E_STORE_BUSY'
    if (code === 'HALT_E_STORE') this.#ledger.isAway = true
    const here = isAway ? acts.filter(({ change }) => change.mayHoldHere()) : []
    const draft = this.#ledger.draftHere()
    const done = applyAll(here, draft, now)
    const slots = [...done.values()].flatMap(each => each.slots)
    if (slots.length > 0) this.#ledger.obeyHere(draft.toDocument(), slots, error.cause ?? error)
    this.#history.keep([...done.values()].filter(each => each.slots.length > 0).map(({ act }) => act))
    settle(done)
    for (const act of acts)
      if (!here.includes(act)) {
        // A mistake in the act is told rather than the outage.
        applyAll([act], this.#ledger.draftHere(), now)
        act.reject(error)
      }
  }
}

/** Applies acts to a draft, one after the other. An act with a mistake rejects, and the others go on. */
function applyAll(
  acts: readonly Waiting[],
  draft: DocumentDraft,
  now: number,
): ReadonlyMap<Waiting, Done<unknown>> {
  const done = new Map<Waiting, Done<unknown>>()
  for (const act of acts) {
    try {
      done.set(act, act.change.apply(draft, now))
    } catch (error) {
      act.reject(error)
    }
  }
  return done
}

function settle(done: ReadonlyMap<Waiting, Done<unknown>>): void {
  for (const [act, each] of done) act.resolve(each)
}
