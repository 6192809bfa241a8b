import { randomUUID } from 'node:crypto'

/**
 * A name that no other test uses, for what lives in a shared server: a letter, then letters and digits. A process id and a
 * count do not make one: ids are given again, and a module that is loaded anew counts from one.
 */
export function unique(): string {
  return `t${randomUUID().replaceAll('-', '').slice(0, 16)}`
}
