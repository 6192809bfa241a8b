import { HaltError } from '@halt/core/gate'
import { readAct } from './act-check.ts'
import type { ActQueue } from './act-queue.ts'
import type { Beat } from './beat.ts'
import { withoutStamp } from './control-document.ts'
import { type ActOptions, type ControlEntry, ENTRY_KINDS, type EntryFacts, holds, slotOf } from './entries.ts'
import type { Ledger } from './ledger.ts'
import type { PolicyWatch } from './policy-watch.ts'

/** The kind of an entry, and what it is about. */
export type EntryName = Pick<ControlEntry, 'kind' | 'target' | 'policy'>

/** The acts that make entries and take them back, each as a change of the document and a line of the history. */
export class EntryActs {
  readonly #queue: ActQueue
  readonly #ledger: Ledger
  readonly #beat: Beat
  readonly #watch: PolicyWatch

  constructor(queue: ActQueue, ledger: Ledger, beat: Beat, watch: PolicyWatch) {
    this.#queue = queue
    this.#ledger = ledger
    this.#beat = beat
    this.#watch = watch
  }

  /** Adds an entry, in place of the one of its slot. Resolves to it. @param make is called again if others have acted meanwhile */
  async put(options: ActOptions, make: (now: number) => ControlEntry): Promise<ControlEntry> {
    const { result } = await this.#queue.add({
      mayHoldHere: () => this.#mayHoldHere(options),
      apply: (draft, now) => {
        const made = make(now)
        failIfReplaced(draft.entryOf(slotOf(made)), options.replaces, now)
        const entry = withoutStamp(draft.put(made))
        const { kind, ...facts } = entry
        return { result: entry, slots: [slotOf(entry)], act: { act: kind, ...facts } }
      },
    })
    return this.#ledger.marked(result)
  }

  /** Takes an entry back. Resolves to whether there was one. */
  async takeBack(name: () => EntryName, options: ActOptions): Promise<boolean> {
    const { result } = await this.#queue.add({
      mayHoldHere: () => this.#mayHoldHere(options),
      apply: (draft, now) => {
        const { kind, ...where } = name()
        const facts = readAct(options, now)
        const slot = slotOf({ kind, ...where })
        const entry = draft.entryOf(slot)
        failIfReplaced(entry, options.replaces, now)
        // A process that has read no document cannot tell whether there is an entry. If there is one, it must end when it is read.
        const mayBeThere = !this.#ledger.hasRead && !draft.isKnown(slot)
        const found = mayBeThere || (entry !== undefined && holds(entry, now))
        if (found) draft.end(slot, now)
        const act = { act: ENTRY_KINDS[kind].endedBy, ...where, ...facts }
        return { result: found, slots: found ? [slot] : [], act }
      },
    })
    return result
  }

  /** Whether an act may hold in this process alone while the store is away: unless its options say, if a limiter here obeys it. */
  #mayHoldHere(options: ActOptions | null): boolean {
    // Nothing would write it later.
    if (this.#beat.isEnded) return false
    const onStoreError = options?.onStoreError
    return onStoreError === undefined ? this.#watch.hasLimiters : onStoreError === 'local'
  }
}

/**
 * Refuses an act that was meant for another entry than the one that stands.
 *
 * @param meant the entry that the act is meant for; `null` for none, undefined for any
 * @throws HaltError `HALT_E_CONTROL_REPLACED`
 */
function failIfReplaced(
  standing: ControlEntry | undefined,
  meant: ActOptions['replaces'],
  now: number,
): void {
  if (meant === undefined) return
  const [found, expected] = [standing, meant].map(entry => (entry && holds(entry, now) ? entry : undefined))
  if (factsOf(found) === factsOf(expected)) return
  const { by = 'somebody', reason } = standing ?? {}
  const why = reason === undefined ? '' : `, because ${JSON.stringify(reason)}`
  throw new HaltError(
    'HALT_E_CONTROL_REPLACED',
    found === undefined
      ? 'Somebody has taken the entry back meanwhile.'
      : `Another entry stands there now: by ${JSON.stringify(by)}${why}.`,
    'Look at what holds now, and act on that.',
  )
}

function factsOf(entry: EntryFacts | undefined): string {
  if (entry === undefined) return ''
  const { at, until, by, reason, numbers = {} } = entry
  const sorted = Object.entries(numbers).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([at, until, by, reason, sorted])
}
