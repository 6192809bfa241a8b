import { describe } from '../base/errors.ts'
import { type Duration, parseDuration } from '../base/duration.ts'
import type { HaltWarning } from '../base/warnings.ts'
import { eventLoop } from '../base/event-loop.ts'
import { fail } from '../base/options-check.ts'
import type { CounterId, Group, Store } from '../store/contract.ts'
import type { StoreDocument } from '../store/document.ts'
import type { Evaluation } from '../store/evaluation.ts'

/**
 * How a store fails in a {@link FakeOutage}:
 *
 * - `"refused"`: each call is rejected at once, as by a server that does not listen;
 * - `"hanging"`: no call is answered until the outage ends, and then the connection is lost;
 * - `{ slow }`: each call is carried out at once, and answered after this time.
 */
export type OutageKind = 'refused' | 'hanging' | { readonly slow: Duration }

/**
 * Wraps a store so that a test can make it fail.
 *
 * @example
 * const store = fakeOutage(new InMemoryStore({ clock: clock.now }))
 * const limiter = new RateLimiter({ store, policy, onStoreError: 'closed' })
 * store.begin('refused')
 * expect((await limiter.consume({ user: '42' })).reason).toBe('store-error')
 * store.end()
 */
export function fakeOutage(store: Store): FakeOutage {
  return new FakeOutage(store)
}

/** A store that answers as another one does, except during the outages that a test begins and ends. */
export class FakeOutage implements Store {
  readonly kind: string
  readonly isShared: boolean
  readonly keepsPace: boolean
  readonly isChecked: boolean
  /** The place of the wrapped store. */
  declare readonly place?: readonly unknown[]
  /** The wrapped store's documents, if it has any. They fail in an outage too. */
  declare readonly document?: (name: string) => StoreDocument
  readonly #store: Store
  readonly #reconnected: (() => void)[] = []
  readonly #hanging = new Set<(error: Error) => void>()
  #outage: 'refused' | 'hanging' | number | undefined

  /** @param store answers when there is no outage */
  constructor(store: Store) {
    const { kind = 'custom', isShared = true, keepsPace = false, isChecked = false } = store
    this.kind = kind
    this.isShared = isShared
    this.keepsPace = keepsPace
    this.isChecked = isChecked
    this.#store = store
    if (store.place !== undefined) this.place = store.place
    const document = store.document?.bind(store)
    if (document !== undefined) this.document = name => this.#wrap(document(name))
    store.onReconnect?.(() => this.#reconnect())
  }

  /**
   * Begins an outage, or makes the present one another.
   *
   * @throws HaltError `HALT_E_OPTION` or `HALT_E_DURATION`
   */
  begin(how: OutageKind = 'refused'): void {
    this.#outage = readKind(how)
    this.#disconnect()
  }

  /** Ends the outage. Calls that hang are rejected, because their connection is lost. */
  end(): void {
    if (this.#outage === undefined) return
    this.#outage = undefined
    this.#disconnect()
    this.#reconnect()
  }

  evaluate(group: Group): Evaluation | Promise<Evaluation> {
    return this.#call(() => this.#store.evaluate(group))
  }

  forget(counters: readonly CounterId[]): number | Promise<number> {
    return this.#call(() => this.#store.forget(counters))
  }

  async probe(): Promise<unknown> {
    return this.#call(() => this.#store.probe?.())
  }

  async inspect(): Promise<readonly HaltWarning[]> {
    return this.#call(async () => (await this.#store.inspect?.()) ?? [])
  }

  clock(): number | undefined {
    return this.#store.clock?.()
  }

  instances(): number {
    return this.#store.instances?.() ?? 1
  }

  onReconnect(listener: () => void): void {
    this.#reconnected.push(listener)
  }

  /** Ends the outage and closes the wrapped store. */
  async close(): Promise<void> {
    this.end()
    await this.#store.close?.()
  }

  #call<T>(answer: () => T | Promise<T>): T | Promise<T> {
    const outage = this.#outage
    if (outage === undefined) return answer()
    if (outage === 'refused') return Promise.reject(refusal())
    if (outage === 'hanging') return new Promise((_, reject) => this.#hanging.add(reject))
    return slowly(answer, outage)
  }

  #wrap(document: StoreDocument): StoreDocument {
    return {
      read: async since => this.#call(() => document.read(since)),
      write: async (text, since) => this.#call(() => document.write(text, since)),
    }
  }

  #disconnect(): void {
    for (const reject of this.#hanging) reject(connectionError('ECONNRESET', 'read ECONNRESET'))
    this.#hanging.clear()
  }

  #reconnect(): void {
    for (const listener of this.#reconnected) listener()
  }
}

function readKind(how: OutageKind): 'refused' | 'hanging' | number {
  if (how === 'refused' || how === 'hanging') return how
  if (typeof how !== 'object' || how === null || !('slow' in how)) {
    fail(
      'HALT_E_OPTION',
      `An outage cannot be ${describe(how)}.`,
      'Give "refused", "hanging" or { slow: "300ms" }.',
    )
  }
  return parseDuration(how.slow, 'slow') / 1000
}

// The call was never sent, so the limiter may repeat it.
function refusal(): Error {
  return Object.assign(connectionError('ECONNREFUSED', 'connect ECONNREFUSED'), { unsent: true })
}

function connectionError(code: string, message: string): Error {
  return Object.assign(new Error(`${message} (an outage that the test began)`), {
    code,
    failure: 'unavailable',
  })
}

// The timer is a faked one where a test fakes timers.
async function slowly<T>(answer: () => T | Promise<T>, ms: number): Promise<T> {
  const found = await answer()
  await new Promise<void>(resolve => void eventLoop.after(ms, resolve))
  return found
}
