import type { HaltError } from '@halt/core'

const mistakes = new WeakSet<object>()

/** Whether an error is a mistake of the command line, for which the exit code is 2. */
export function isUsageError(error: unknown): boolean {
  return codeOf(error) === 'HALT_E_COMMAND' || mistakes.has(Object(error) as object)
}

/**
 * Calls `use` with values of the command line. An error of Halt about such a value is a mistake of the command line. A store that
 * does not answer, or has no room, is not.
 */
export async function withValues<T>(use: () => T | Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    const code = codeOf(error)
    if (code !== undefined && !/^HALT_E_STORE|^HALT_E_CONTROL_FULL$/.test(code)) mistakes.add(error as object)
    throw error
  }
}

/** Makes a store of options of the command line before anything is asked. A wrong option is a mistake of the command line. */
export function checkPrefix(make: () => unknown): void {
  try {
    make()
  } catch (error) {
    mistakes.add(error as object)
    throw error
  }
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as Partial<HaltError>
  return typeof code === 'string' && code.startsWith('HALT_E_') ? code : undefined
}
