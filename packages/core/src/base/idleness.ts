import { eventLoop } from './event-loop.ts'
import { afterFreeTime } from './promises.ts'

/** Something that knows whether operations are under way. */
export interface Idler {
  readonly isIdle: boolean
  /** Resolves as soon as no operation is under way; at once if none is. */
  idle(): Promise<void>
}

/** Counts operations that have begun and have not ended. A counter and not a set, so that its size does not grow. */
export class UnderWay implements Idler {
  #count = 0
  #listeners: (() => void)[] = []

  get isIdle(): boolean {
    return this.#count === 0
  }

  begin(): void {
    this.#count++
  }

  end(): void {
    this.#count--
    if (this.isIdle) for (const listener of this.#listeners.splice(0)) listener()
  }

  idle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise(resolve => void this.#listeners.push(resolve))
  }
}

/**
 * Resolves once all are idle at the end of a turn of the event loop, so that operations which begin meanwhile are awaited as
 * well. Resolves at the latest after the event loop has been free for `ms` milliseconds.
 *
 * @param again is called before and after each round, and may begin further operations
 */
export function untilIdle(idlers: readonly Idler[], ms: number, again: () => void = () => {}): Promise<void> {
  return new Promise(resolve => {
    let isOver = false
    const end = (): void => {
      isOver = true
      resolve()
    }
    const wait = afterFreeTime(ms, end)
    const round = async (): Promise<void> => {
      again()
      while (!isOver) {
        await Promise.all(idlers.map(idler => idler.idle()))
        // After an answer, the application begins its next work in this turn.
        await new Promise<void>(done => eventLoop.afterRead(done))
        again()
        if (idlers.every(({ isIdle }) => isIdle)) break
      }
      wait.cancel()
      end()
    }
    void round()
  })
}

type End = (finish: number) => Promise<void>

/** What ends when a limiter closes. A part that comes after that ends at once. */
export class Endings {
  readonly #ends: End[] = []
  readonly #last: End[] = []
  #finish: number | undefined
  #isOver = false

  /**
   * Adds the end of a part. It gets the time that callers still have, in microseconds.
   *
   * @param isLast whether the part serves callers until the others have ended
   */
  add(end: End, isLast = false): void {
    const finish = isLast && !this.#isOver ? undefined : this.#finish
    if (finish === undefined) (isLast ? this.#last : this.#ends).push(end)
    else void end(finish)
  }

  /** Ends all parts. */
  async run(finish: number): Promise<void> {
    this.#finish = finish
    await Promise.all(this.#ends.map(async end => end(finish)))
    this.#isOver = true
    await Promise.all(this.#last.map(async end => end(finish)))
  }
}
