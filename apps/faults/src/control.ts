import { setTimeout as sleep } from 'node:timers/promises'

import { ask } from '../../../tools/servers.ts'
import type { World } from './world.ts'

const EVERY_MS = 50

/** Measures how long the servers take to answer without Halt, to tell the delay of a busy machine from that of Halt. */
export class Control {
  #longest = 0
  #isOver = false
  readonly #asking: Promise<void>

  constructor(world: World) {
    this.#asking = this.#ask(world)
  }

  /** Stops, and returns the longest answer time of any server that answered, in milliseconds. */
  async stop(): Promise<number> {
    this.#isOver = true
    await this.#asking
    return this.#longest
  }

  async #ask(world: World): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(world.masters.map(({ port }) => this.#time(port)))
      await sleep(EVERY_MS)
    }
  }

  async #time(port: number): Promise<void> {
    const started = performance.now()
    try {
      await ask(port, 'PING')
    } catch {
      return
    }
    this.#longest = Math.max(this.#longest, performance.now() - started)
  }
}
