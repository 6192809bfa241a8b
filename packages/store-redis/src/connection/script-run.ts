import type { CommandSender } from './command-sender.ts'
import type { Script } from './connection.ts'
import { isNoScript } from './store-error.ts'

/** Runs a script by its digest; where the server does not know it, once by its text, on the same node. */
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

/** Turns what a client throws at once into a rejection. */
export function promiseTry(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error as Error)
  }
}
