import { eventLoop, type EventLoop, type Timer } from './event-loop.ts'

// The clock is looked up at each call, so that fake timers in a test move it together with the timers.
const followsFakeTimers: EventLoop = { ...eventLoop, now: () => performance.now() }

/** An alarm that was set and has not rung. */
interface Alarm {
  /** Milliseconds of the event loop's clock. */
  due: number
  /** Microseconds until the alarm may ring, by the clock that counts. */
  readonly left: () => number
  readonly ring: () => void
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
  // On Workers a timer is a number and ends with the request that started it. There each alarm has its own timer.
  #isShared = true

  constructor(loop: EventLoop = followsFakeTimers) {
    this.#loop = loop
  }

  /** The number of alarms that are set. */
  get size(): number {
    return this.#alarms.length
  }

  /**
   * Sets an alarm. Returns the function that takes it back.
   *
   * @param left microseconds until the alarm may ring. Asked again when the time has passed, because the clock that counts may not
   * be this process's.
   */
  set(left: () => number, ring: () => void): () => void {
    if (!this.#isShared) return this.#setAlone(left, ring)
    const alarm: Alarm = { due: 0, left, ring }
    this.#insert(alarm)
    this.#arm()
    return () => {
      const at = this.#alarms.indexOf(alarm)
      if (at < 0) return
      this.#alarms.splice(at, 1)
      this.#arm()
    }
  }

  #setAlone(left: Alarm['left'], ring: Alarm['ring']): () => void {
    let timer: Timer | number
    const wait = (): void => {
      timer = this.#loop.after(msOf(left()), () => (left() > 0 ? wait() : ring()))
    }
    wait()
    return () => this.#loop.cancel(timer)
  }

  #insert(alarm: Alarm): void {
    alarm.due = this.#loop.now() + Math.max(0, alarm.left()) / 1000
    let [low, high] = [0, this.#alarms.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      // Of two alarms with one due time, the earlier set rings first.
      if ((this.#alarms[middle] as Alarm).due > alarm.due) low = middle + 1
      else high = middle
    }
    this.#alarms.splice(low, 0, alarm)
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
    this.#isShared = typeof this.#timer === 'object'
  }

  #fire(): void {
    this.#timer = undefined
    // Timers may fire up to a millisecond early. The clock that counts decides.
    const now = Math.max(this.#loop.now(), this.#timerDue)
    const due: Alarm[] = []
    for (
      let first = this.#alarms.at(-1);
      first !== undefined && first.due <= now;
      first = this.#alarms.at(-1)
    )
      due.push(this.#alarms.pop() as Alarm)
    for (const alarm of due) {
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
