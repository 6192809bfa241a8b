// A copy of core that lives in virtual time. Some of its files take the clock when they are loaded, so they are loaded anew.
import { vi } from 'vitest'

import type * as Core from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'
import type { GateSource, PolicyNumbers } from '../../src/limiter/gate-kit.ts'
import type * as Testing from '../../src/testing/index.ts'
import type * as Lines from '../../src/waiting/lines.ts'
import { START } from '../world.ts'
import { VirtualTime } from './virtual-time.ts'

/** What operators of a world act by: the `Control` of the package of that name. */
export interface Operators extends GateSource {
  block(who: Core.Identity, options?: { readonly for: string }): Promise<unknown>
  unblock(who: Core.Identity): Promise<unknown>
  allow(who: Core.Identity, options?: { readonly for: string }): Promise<unknown>
  override(who: Core.Identity, policy: string, numbers: PolicyNumbers): Promise<unknown>
  change(policy: string, numbers: PolicyNumbers): Promise<unknown>
  close(): void
}

/** Core in virtual time. */
export interface VirtualCore {
  readonly RateLimiter: typeof Core.RateLimiter
  /** Undefined unless the file has loaded it with {@link loadCore}. */
  readonly Control?: new (options: { readonly store: Store; readonly warn?: Core.Warn }) => Operators
  readonly PolicyRegistry: typeof Core.PolicyRegistry
  readonly QuotaManager: typeof Core.QuotaManager
  readonly ReferenceStore: typeof Testing.ReferenceStore
  readonly fakeOutage: typeof Testing.fakeOutage
  /** What all callers of this copy share. Only asked whether somebody or something is left in it. */
  readonly waitingRoom: typeof Lines.waitingRoom
}

/**
 * The instant from which the clock of a process counts, in Unix milliseconds. It is not that of the machine, whose fraction is another
 * one in each run: a clock of whole microseconds would round otherwise, and a history could not be played again.
 */
export const ORIGIN: number = START + 3_600_000.000_4

/** The virtual time of the world that plays now. Its clocks are read through this, because core keeps them. */
const present: { time: VirtualTime } = { time: new VirtualTime(START) }
let loaded: VirtualCore | undefined

/**
 * Loads core in virtual time. Call {@link unloadCore} when the file is over.
 *
 * @param others loads packages that live in the same time
 */
export async function loadCore(others?: () => Promise<Pick<VirtualCore, 'Control'>>): Promise<VirtualCore> {
  if (loaded !== undefined) return loaded
  vi.resetModules()
  // The clock and the timers that this copy takes as it is loaded are those of whichever world plays.
  const found = await whileRelayed(async () => ({
    ...(await import('../../src/index.ts')),
    ...(await import('../../src/testing/index.ts')),
    ...(await import('../../src/waiting/lines.ts')),
    // A limiter loads it with its first call, and virtual time does not wait for that.
    ...(await import('../../src/reserve/calls.ts')),
    ...(await others?.()),
  }))
  loaded = found
  return found
}

/** Forgets the copy, so that the files that share this process load one with the machine's clock. */
export function unloadCore(): void {
  present.time.uninstall()
  loaded = undefined
  vi.resetModules()
}

/** Begins a new virtual time, and installs it. @param epochMs what `Date.now` says as it begins */
export function newTime(epochMs: number = START): VirtualTime {
  present.time.uninstall()
  present.time = new VirtualTime(epochMs)
  present.time.install()
  return present.time
}

/** Ends virtual time. The copy of core follows the machine's clock until the next world. */
export function endTime(): void {
  present.time.uninstall()
}

async function whileRelayed<T>(load: () => Promise<T>): Promise<T> {
  const { setImmediate } = globalThis
  const now = performance.now.bind(performance)
  // What core takes looks the present function up at each call, because a world installs its own later.
  const lookedUp = (): number => (performance.now === lookedUp ? now() : performance.now())
  const soon = (call: () => void): unknown =>
    globalThis.setImmediate === (soon as unknown) ? setImmediate(call) : globalThis.setImmediate(call)
  performance.now = lookedUp
  globalThis.setImmediate = soon as unknown as typeof setImmediate
  Object.defineProperty(performance, 'timeOrigin', { value: ORIGIN, configurable: true })
  try {
    return await load()
  } finally {
    Reflect.deleteProperty(performance, 'now')
    Reflect.deleteProperty(performance, 'timeOrigin')
    globalThis.setImmediate = setImmediate
  }
}
