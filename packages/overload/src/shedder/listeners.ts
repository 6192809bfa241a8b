import { HaltError, type Warn } from '@halt/core'
import { describe, messageOf } from '@halt/core/http'

import type { ShedderEvents } from './state.ts'
import type { Tell } from './guarded-limit.ts'

type Listener = (detail: never) => unknown

const EVENTS: readonly (keyof ShedderEvents)[] = ['shedding', 'calm', 'rebaseline']

/** The functions that hear of events. None can break a request. */
export class Listeners {
  readonly #lists = new Map<keyof ShedderEvents, Set<Listener>>()
  readonly #warn: Warn

  constructor(warn: Warn) {
    this.#warn = warn
  }

  readonly on = <E extends keyof ShedderEvents>(
    event: E,
    listener: (detail: ShedderEvents[E]) => unknown,
  ): (() => void) => {
    if (!EVENTS.includes(event) || typeof listener !== 'function') {
      const fix = `Give one of ${EVENTS.map(describe).join(', ')}, and a function.`
      throw new HaltError('HALT_E_OPTION', `on got ${describe(event)} and ${describe(listener)}.`, fix)
    }
    const list = this.#lists.get(event) ?? new Set()
    this.#lists.set(event, list.add(listener))
    return () => void list.delete(listener)
  }

  readonly tell: Tell = (event, detail) => {
    for (const listener of this.#lists.get(event) ?? []) {
      try {
        const said = listener(detail as never)
        if (said instanceof Promise) said.catch(error => this.#failed(error))
      } catch (error) {
        this.#failed(error)
      }
    }
  }

  #failed(error: unknown): void {
    this.#warn({
      code: 'HALT_W_SHEDDER_CALLBACK',
      message: `A listener of loadShedder threw: ${messageOf(error)}.`,
      fix: 'Handle its errors within it.',
    })
  }
}
