import type { ScriptSender } from './command-sender.ts'
import type { Script } from './connection.ts'
import { isNoScript } from './store-error.ts'

/**
 * Runs a script by its digest. If the server does not know it, runs it by its text once, on the same node. Resolves to the
 * result of `done` for the reply, or of `failed` for the error.
 *
 * perf: bench "redis"; it is one promise, because each further one delays the reply by a turn of the microtasks.
 */
export function runScript(
  sender: ScriptSender,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
  done: (reply: unknown) => unknown = same,
  failed: (error: unknown) => unknown = rethrow,
): Promise<unknown> {
  return promiseTry(() => sender.evalsha(script.sha, keys, args)).then(done, (error: unknown) =>
    isNoScript(error)
      ? promiseTry(() => sender.eval(script.source, keys, args)).then(done, failed)
      : failed(error),
  )
}

/** Calls a function, and turns an error that it throws into a rejection. */
export function promiseTry(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error as Error)
  }
}

function same(reply: unknown): unknown {
  return reply
}

function rethrow(error: unknown): never {
  throw error
}
