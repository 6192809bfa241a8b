import type { CommandSender } from './command-sender.ts'
import type { Script } from './connection.ts'
import { isNoScript } from './store-error.ts'

/** Runs a script by its digest. If the server does not know it, runs it by its text once, on the same node. */
export function runScript(
  sender: CommandSender,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  return promiseTry(() => sender.evalsha(script.sha, keys, args)).catch((error: unknown) => {
    if (!isNoScript(error)) throw error
    return sender.eval(script.source, keys, args)
  })
}

/** Calls a function, and turns an error that it throws into a rejection. */
export function promiseTry(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error as Error)
  }
}
