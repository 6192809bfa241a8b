import type { Alarm } from '../base/alarms.ts'
import type { Line, Place } from './line.ts'

/** A place whose first owner asks again, while another caller has moved up to it. */
export class LeftPlace implements Place, Alarm {
  due = 0
  isDue: boolean
  readonly left: () => number
  readonly tails: readonly number[]
  readonly #line: Line

  constructor(line: Line, isDue: boolean, left: () => number, tails: readonly number[]) {
    this.#line = line
    this.isDue = isDue
    this.left = left
    this.tails = tails
  }

  ring(): void {
    this.isDue = true
    this.#line.startDue()
  }
}
