import { describe } from '../base/errors.ts'
import { parseDuration } from '../base/duration.ts'
import { checkNames, type Fields, fail } from '../base/options-check.ts'
import type { Lease } from './policy.ts'

/** A policy's lease in numbers. */
export interface CompiledLease {
  /** The share of the units left that one process holds at most. */
  readonly share: number
  /** The longest time for which a process keeps units that it does not use, in microseconds. */
  readonly idle: number
}

const MOST = 0.5
const SHORTEST = 10_000
const LONGEST = 10_000_000
const DEFAULT_IDLE = '500ms'

/** @throws HaltError `HALT_E_LEASE` for a policy's `lease` that is wrong, or that does not go with another field */
export function checkLease(policy: Fields): void {
  const { lease, algorithm, inFlight, blockDuration } = policy
  if (lease === undefined) return
  if (typeof lease !== 'object' || lease === null)
    fail('HALT_E_LEASE', `lease is ${describe(lease)}.`, 'Give an object: { share: 0.02 }.')
  const { share, idle = DEFAULT_IDLE } = lease as Fields
  checkNames(lease as Fields, ['share', 'idle'], 'lease')
  if (!(typeof share === 'number' && share > 0 && share <= MOST))
    fail('HALT_E_LEASE', `The share of lease is ${describe(share)}.`, 'Give a share above 0 and up to 0.5.')
  const micros = parseDuration(idle, 'idle of lease', 'HALT_E_LEASE')
  if (micros < SHORTEST || micros > LONGEST)
    fail('HALT_E_LEASE', `idle of lease is ${describe(idle)}.`, 'Give a duration from "10ms" to "10s".')
  if (algorithm === 'concurrency')
    fail(
      'HALT_E_LEASE',
      'concurrency does not take lease.',
      'Leave it out: a request in flight is never idle.',
    )
  if (inFlight !== undefined)
    fail('HALT_E_LEASE', 'lease does not go with inFlight.', 'Leave one out: inFlight charges at the end.')
  if (blockDuration !== undefined)
    fail(
      'HALT_E_LEASE',
      'lease does not go with blockDuration: a refusal that comes early, because other processes hold units, would block the key.',
      'Leave one out, or give blockDuration to a second policy without lease.',
    )
}

/** Compiles a checked lease. */
export function compileLease({ share, idle = DEFAULT_IDLE }: Lease): CompiledLease {
  return { share, idle: parseDuration(idle, 'idle of lease', 'HALT_E_LEASE') }
}
