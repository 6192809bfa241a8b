import { HaltError } from '../base/errors.ts'

/**
 * Checks an option that is a number of things.
 *
 * @throws HaltError `HALT_E_STORE_OPTION` if it is not a whole number from 1
 */
export function checkWhole(name: string, value: unknown): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return
  throw new HaltError(
    'HALT_E_STORE_OPTION',
    `${name} is ${String(value)} (${typeof value}).`,
    'Give a whole number from 1, or leave it out.',
  )
}
