import { promiseTry } from './script-run.ts'
import type { Connection, Run, Script, Topology } from './connection.ts'
import { toStoreError } from './store-error.ts'

/** A connection over the user's `run` function. It runs scripts only, so other commands are sent inside a small script. */
export class RunnerConnection implements Connection {
  readonly topology: Topology = 'unknown'
  readonly ready: boolean = true
  readonly opened: Promise<void> = Promise.resolve()
  readonly #run: Run

  constructor(run: Run) {
    this.#run = run
  }

  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    try {
      return await promiseTry(() => this.#run(script, keys, args))
    } catch (error) {
      throw toStoreError(error)
    }
  }

  command([name = '', ...args]: readonly string[], key?: string): Promise<unknown> {
    // The key is passed in KEYS, because the runner may put a prefix before it there.
    const isKeyed = key !== undefined && args[0] === key
    const rest = isKeyed ? args.slice(1) : args
    return this.run(CALL, key === undefined ? [] : [key], [isKeyed ? '1' : '0', name, ...rest])
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

const CALL: Script = {
  sha: '61068c78a6c8d7c90247aefaee7758ad01e2518e',
  source: `local call = { ARGV[2] }
if ARGV[1] == '1' then call[2] = KEYS[1] end
for i = 3, #ARGV do call[#call + 1] = ARGV[i] end
return redis.call(unpack(call))`,
}
