import { HaltError } from '@halt/core'

/**
 * The text of an error that nobody caught. A module of `--policy` or `--app` may fail after its import, as a server does whose
 * port is taken.
 */
export function uncaughtText(error: unknown, args: readonly string[]): string {
  const text = error instanceof Error ? error.message : String(error)
  const loads = args.some(arg => /^--(?:policy|app)(?:=|$)/.test(arg))
  if (!loads) return (error instanceof Error ? error.stack : undefined) ?? text
  const failure = new HaltError(
    'HALT_E_POLICY_MODULE',
    `The module of the limits failed after it was loaded: ${text}.`,
    'Import no server that listens: move the limits, or the application without its listen(), to a module of their own.',
  )
  return failure.message
}
