import { type EventLoop, followsFakeTimers, outlivesRequest, type Timer } from '../base/event-loop.ts'
import type { InLine } from './callers.ts'

/** Something that must happen at an instant. */
export interface Alarm {
  /** Set by {@link Alarms}: when the alarm may ring, in milliseconds of the event loop's clock. */
  due: number
  /** Microseconds until the alarm may ring, by the clock that counts, which may not be this process's. */
  left(): number
  /** Called once the time has passed. */
  ring(): void
}

/**
 * Rings alarms at their instants, up to two milliseconds late and never early. All alarms of a process share one timer, which keeps
 * the process alive while an alarm is set.
 */
export class Alarms {
  readonly #loop: EventLoop
  // By their due time, the first last, so that taking it is cheap.
  readonly #alarms: Alarm[] = []
  #timer: Timer | number | undefined
  #timerDue = 0
  // On Workers a timer ends with the request that started it. There each alarm has its own timer.
  #isShared = true
  readonly #alone = new Map<Alarm, Timer | number>()
  // The alarms that are due now and have not rung. One that rings may take back another, or set it anew.
  readonly #firing = new Set<Alarm>()

  constructor(loop: EventLoop = followsFakeTimers) {
    this.#loop = loop
  }

  get size(): number {
    return this.#alarms.length + this.#firing.size + this.#alone.size
  }

  /** Whether all alarms share a timer. Known as soon as the first was set; until then they are taken to. */
  get isShared(): boolean {
    return this.#isShared
  }

  /** Sets an alarm, which must not be set. */
  set(alarm: Alarm): void {
    if (!this.#isShared) return this.#setAlone(alarm)
    this.#insert(alarm)
    this.#arm()
  }

  /** Takes an alarm back. Does nothing if it is not set. */
  forget(alarm: Alarm): void {
    if (this.#firing.delete(alarm)) return
    const timer = this.#alone.get(alarm)
    if (timer !== undefined) {
      this.#alone.delete(alarm)
      return this.#loop.cancel(timer)
    }
    for (let at = this.#placeOf(alarm.due); this.#alarms[at]?.due === alarm.due; at++) {
      if (this.#alarms[at] !== alarm) continue
      this.#alarms.splice(at, 1)
      return this.#arm()
    }
  }

  #setAlone(alarm: Alarm): void {
    const timer = this.#loop.after(msOf(alarm.left()), () => {
      this.#alone.delete(alarm)
      if (alarm.left() > 0) this.#setAlone(alarm)
      else alarm.ring()
    })
    this.#alone.set(alarm, timer)
  }

  #insert(alarm: Alarm): void {
    alarm.due = this.#loop.now() + Math.max(0, alarm.left()) / 1000
    // Of two alarms with one due time, the earlier set rings first.
    this.#alarms.splice(this.#placeOf(alarm.due), 0, alarm)
  }

  /** The index of the first alarm that is due at an instant or before it. */
  #placeOf(due: number): number {
    let [low, high] = [0, this.#alarms.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#alarms[middle] as Alarm).due > due) low = middle + 1
      else high = middle
    }
    return low
  }

  #arm(): void {
    const first = this.#alarms.at(-1)
    if (this.#timer !== undefined) {
      if (first !== undefined && first.due >= this.#timerDue) return
      this.#loop.cancel(this.#timer)
      this.#timer = undefined
    }
    if (first === undefined) return
    this.#timerDue = first.due
    this.#timer = this.#loop.after(msOf((first.due - this.#loop.now()) * 1000), () => this.#fire())
    this.#isShared = outlivesRequest(this.#timer)
  }

  #fire(): void {
    this.#timer = undefined
    // Timers may fire up to a millisecond early. The clock that counts decides.
    const now = Math.max(this.#loop.now(), this.#timerDue)
    for (const alarm of this.#alarms.splice(this.#placeOf(now)).toReversed()) this.#firing.add(alarm)
    for (const alarm of this.#firing) {
      this.#firing.delete(alarm)
      if (alarm.left() > 0) this.#insert(alarm)
      else alarm.ring()
    }
    this.#arm()
  }
}

/** The milliseconds of a timer. Runtimes round a fraction down. */
function msOf(micros: number): number {
  return Math.max(1, Math.ceil(micros / 1000))
}

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
