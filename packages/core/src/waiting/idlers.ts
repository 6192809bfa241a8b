import type { Subject } from '../request/subject.ts'

/** A caller that asks or waits, as somebody sees it who waits until none is left. */
export interface Present {
  /** Whether it is a caller of a subject. Undefined while nobody knows on which counters it will be charged. */
  isOf(subject: Subject | undefined): boolean | undefined
}

interface Idler<C> {
  readonly subject: Subject | undefined
  readonly present: Set<C>
  readonly resolve: () => void
}

/** Those who wait until no caller is left. Costs nothing for callers while there are none. */
export class Idlers<C extends Present> {
  readonly #idlers = new Set<Idler<C>>()

  /**
   * Resolves when no caller of a subject is left, those included that come meanwhile.
   *
   * @param subject undefined for callers of any subject
   */
  until(subject: Subject | undefined, callers: Iterable<C>): Promise<void> {
    const present = new Set<C>()
    for (const caller of callers) if (caller.isOf(subject) !== false) present.add(caller)
    if (present.size === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#idlers.add({ subject, present, resolve })
    })
  }

  /** Notes a caller that has come. */
  came(caller: C): void {
    for (const { present } of this.#idlers) present.add(caller)
  }

  /** Notes that a caller knows its counters. */
  known(caller: C): void {
    for (const idler of this.#idlers) if (caller.isOf(idler.subject) === false) this.#drop(idler, caller)
  }

  /** Notes a caller that has gone. */
  gone(caller: C): void {
    for (const idler of this.#idlers) this.#drop(idler, caller)
  }

  #drop(idler: Idler<C>, caller: C): void {
    if (!idler.present.delete(caller) || idler.present.size > 0) return
    this.#idlers.delete(idler)
    idler.resolve()
  }
}
