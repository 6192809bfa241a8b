import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import type { Told } from './agents-process.ts'

/** What starts the processes of a crew. */
export interface CrewOptions {
  readonly redis: string
  readonly prefix: string
  readonly model: string
  readonly processes: number
  /** The agents of a process. */
  readonly agents: number
  /** The budget, in millionths of a dollar. */
  readonly limit: number
  /** When the day of the budget begins. */
  readonly since: Date
  /** Default: the built script beside this file. */
  readonly script?: string | undefined
}

/** A place for a process. A process that is killed is replaced in its place. */
export interface Place {
  readonly streams: number
  readonly answers: number
  readonly kills: number
}

/** Processes of agents. */
export class Crew {
  readonly #options: CrewOptions
  readonly #children: ChildProcess[] = []
  readonly #places: { streams: number; before: number; answers: number; kills: number }[] = []
  /** How many processes have ended by themselves, because the budget was gone. */
  #ended = 0
  #failure: Error | undefined

  constructor(options: CrewOptions) {
    this.#options = options
    for (let i = 0; i < options.processes; i++) {
      this.#places.push({ streams: 0, before: 0, answers: 0, kills: 0 })
      this.#start(i)
    }
  }

  get places(): readonly Place[] {
    return this.#places.map(({ streams, before, answers, kills }) => ({
      streams,
      answers: before + answers,
      kills,
    }))
  }

  /** Whether all processes have ended by themselves. Throws if one failed. */
  get isOver(): boolean {
    if (this.#failure !== undefined) throw this.#failure
    return this.#ended === this.#options.processes
  }

  /** Kills a process with SIGKILL, and starts another one in its place. Does nothing if it has ended by itself. */
  async kill(at: number): Promise<void> {
    const child = this.#children[at]
    const place = this.#places[at]
    if (child === undefined || place === undefined || child.exitCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    place.kills++
    place.before += place.answers
    place.streams = 0
    place.answers = 0
    this.#start(at)
  }

  /** Kills all processes that still run. */
  close(): void {
    for (const child of this.#children) {
      child.removeAllListeners('exit')
      child.kill('SIGKILL')
    }
  }

  #start(at: number): void {
    const { redis, prefix, model, agents, limit, since, script } = this.#options
    const path = script ?? fileURLToPath(new URL('agents-process.js', import.meta.url))
    const child = fork(path, [redis, prefix, model, `${agents}`, `${limit}`, since.toISOString()])
    this.#children[at] = child
    child.on('message', (told: Told) => {
      if (this.#children[at] === child) Object.assign(this.#places[at]!, told)
    })
    child.on('exit', (code, signal) => {
      if (signal === 'SIGKILL') return
      if (code === 0) this.#ended++
      else this.#failure = new Error(`A process of agents has ended with code ${code}.`)
    })
  }
}
