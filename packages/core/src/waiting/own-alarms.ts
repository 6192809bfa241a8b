import type { Alarm, Alarms } from './alarms.ts'
import type { InLine } from './callers.ts'

/** A line whose callers have alarms of their own. Instants in microseconds of this process's clock. */
export interface WatchedLine {
  /** The next instant at which something may happen to a caller. */
  nextFor(caller: InLine): number
  clock(): number
  /** Starts the callers that are due. */
  ring(): void
}

/**
 * The alarms of the callers of a line, one for each. They are needed where a timer ends with the request that started it, as on
 * Workers: the one alarm of a line would end with the request of its first caller.
 */
export class OwnAlarms {
  readonly #alarms: Alarms
  readonly #line: WatchedLine
  readonly #set = new Map<InLine, Alarm>()

  constructor(alarms: Alarms, line: WatchedLine) {
    this.#alarms = alarms
    this.#line = line
  }

  /** Sets the alarm of a caller, if alarms are not shared. Must be called in the caller's request. */
  watch(caller: InLine): void {
    if (this.#alarms.isShared || this.#set.has(caller)) return
    const instant = this.#line.nextFor(caller)
    const alarm: Alarm = {
      due: 0,
      left: () => instant - this.#line.clock(),
      ring: () => {
        this.#line.ring()
        // The caller may have started, or left.
        if (this.#set.get(caller) !== alarm) return
        this.#set.delete(caller)
        this.watch(caller)
      },
    }
    this.#set.set(caller, alarm)
    this.#alarms.set(alarm)
  }

  /** Takes the alarm of a caller back that waits no longer. */
  forget(caller: InLine): void {
    const alarm = this.#set.get(caller)
    if (alarm === undefined) return
    this.#set.delete(caller)
    this.#alarms.forget(alarm)
  }
}
