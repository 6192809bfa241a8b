import { HaltError } from '@halt/core'
import { messageOf } from '@halt/core/http'

/**
 * The text of an error that nobody caught. A module of `--policy` or `--app` may fail after its import, as a server does whose
 * port is taken.
 */
export function uncaughtText(error: unknown, args: readonly string[]): string {
  const loads = args.some(arg => /^--(?:policy|app)(?:=|$)/.test(arg))
  if (!loads) return error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error)
  const failure = new HaltError(
    'HALT_E_POLICY_MODULE',
    `The module of the limits failed after it was loaded: ${messageOf(error)}.`,
    'Import no server that listens: move the limits, or the application without its listen(), to a module of their own.',
  )
  return failure.message
}
