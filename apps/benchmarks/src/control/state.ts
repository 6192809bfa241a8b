import type { Control } from '@halt/control'

/** The entries of a Control as limiters look them up. The types for users do not have them. */
interface Lookup {
  accessOf(client: object, clock: { now(): number }): unknown
  accessOfSubject(subject: string, clock: { now(): number }): unknown
}

/** The entries of a Control that are in force; undefined while there are none. */
export function stateOf(control: Control): Lookup | undefined {
  return (control as unknown as { readonly state?: Lookup }).state
}
