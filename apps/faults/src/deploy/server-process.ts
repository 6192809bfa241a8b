import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

import type { DrainReport } from '@halt/core/http'

import { DEPLOYED } from '../bundle-paths.ts'
import type { Place } from '../place.ts'
import type { Framework } from './framework.ts'

// An orchestrator kills a process that has not ended by then. The deadline of drain() is 10 seconds.
const GRACE_MS = 30_000

/** The end of a process. */
export interface Ended {
  /** From SIGTERM to the end, in milliseconds. */
  readonly ms: number
  /** What was not in order. */
  readonly faults: readonly string[]
}

/** A process of a deploy, which listens on a port of its own. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #killNow: () => void
  #out = ''
  #errors = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = once(child, 'exit')
    this.#killNow = () => void child.kill('SIGKILL')
    process.once('exit', this.#killNow)
    child.stdout?.on('data', chunk => void (this.#out += String(chunk)))
    child.stderr?.on('data', chunk => void (this.#errors += String(chunk)))
  }

  /** Starts a process, and waits until it listens. */
  static async start(
    framework: Framework,
    place: Place,
    storePort: number,
    port: number,
  ): Promise<ServerProcess> {
    const args = [DEPLOYED, framework, place.server, place.client, `${storePort}`, `${port}`]
    const started = new ServerProcess(
      spawn(process.execPath, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_ENV: 'production' },
      }),
    )
    const { stdout } = started.#child
    while (!started.#out.includes('ready')) {
      await Promise.race([stdout === null ? undefined : once(stdout, 'data'), started.#exited])
      if (started.#child.exitCode !== null) throw new Error(`A process did not start: ${started.#errors}`)
    }
    return started
  }

  /** Ends the process as an orchestrator does: SIGTERM, a second one, and SIGKILL if that does not help. */
  async end(): Promise<Ended> {
    const began = performance.now()
    this.#child.kill('SIGTERM')
    const again = setTimeout(() => this.#child.kill('SIGTERM'), 100)
    const kill = setTimeout(this.#killNow, GRACE_MS)
    await this.#exited
    clearTimeout(again)
    clearTimeout(kill)
    process.off('exit', this.#killNow)
    return { ms: performance.now() - began, faults: this.#faults() }
  }

  #faults(): string[] {
    const faults: string[] = []
    const { exitCode, signalCode } = this.#child
    const report = this.#out.split('\n').find(line => line.startsWith('{'))
    // The second signal may come after drain(), while Node takes the process down and handles no signals any more.
    const isOver = exitCode === 0 || (signalCode === 'SIGTERM' && report !== undefined)
    if (!isOver) faults.push(`a process ended with ${signalCode ?? exitCode}`)
    const { forced, errors } = JSON.parse(report ?? '{"forced":-1,"errors":[]}') as DrainReport
    if (forced !== 0) faults.push(`connections destroyed: ${forced}`)
    if (errors.length > 0) faults.push(`drain() had ${errors.length} errors`)
    const warned = new Set(this.#errors.match(/HALT_W_\w+/g))
    if (warned.size > 0) faults.push(`warned: ${[...warned].join(', ')}`)
    return faults
  }
}
