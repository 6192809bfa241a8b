import type { Store, StoreMark } from './contract.ts'
import type { StoreDocument } from './document.ts'

/**
 * The optional members of a store, checked: what a store does not have, or has as another type, has its default here. The clock is
 * read by `StoreClock` alone.
 */
export interface StoreCapabilities {
  /** The kind for labels. `custom` if the store names none. */
  readonly kind: string
  readonly keepsPace: boolean
  readonly isChecked: boolean
  /** The number of counters held now. Undefined if it is not known without a call. */
  readonly size: () => number | undefined
  /** Tests whether the store replies. Resolves at once if the store has no such test. */
  readonly probe: () => Promise<unknown>
  /** The answer of the store, which may be anything. 1 if the store does not count processes. */
  readonly instances: () => unknown
  /** Does nothing if the store never connects again. */
  readonly onReconnect: (listener: () => void) => void
  /** Gives the mark of a subject's node. Undefined if the store has none. */
  readonly mark: (subject: string) => StoreMark | undefined
  /** Gives the document of a name. Undefined if the store has no documents. */
  readonly document: ((name: string) => StoreDocument) | undefined
  /**
   * Whether the store's `charge` may be called in place of its `evaluate`: it has one, and nobody has replaced or wrapped the
   * `evaluate` that belongs to it, as a subclass, a proxy or a spy does.
   */
  readonly chargesAlone: () => boolean
}

const byStore = new WeakMap<object, StoreCapabilities>()

/** What a store can do. It is found out once per store. Anything but an object can do nothing. */
export function capabilitiesOf(store: unknown): StoreCapabilities {
  const given = (typeof store === 'object' && store !== null ? store : NOTHING) as Partial<Store>
  let found = byStore.get(given)
  if (found === undefined) byStore.set(given, (found = read(given)))
  return found
}

const NOTHING: Partial<Store> = {}

// Methods are looked up at each call, because a test may replace them.
function read(store: Partial<Store>): StoreCapabilities {
  const { kind, keepsPace, isChecked } = store
  const has = (name: keyof Store): boolean => typeof store[name] === 'function'
  return {
    kind: typeof kind === 'string' && kind !== '' ? kind : 'custom',
    keepsPace: keepsPace === true,
    isChecked: isChecked === true,
    size: () => (Number.isSafeInteger(store.size) ? store.size : undefined),
    probe: async () => (has('probe') ? store.probe!() : undefined),
    instances: () => (store.instances === undefined ? 1 : store.instances()),
    onReconnect: listener => {
      if (has('onReconnect')) store.onReconnect!(listener)
    },
    mark: subject => (has('mark') ? store.mark!(subject) : undefined),
    document: has('document') ? name => store.document!(name) : undefined,
    chargesAlone: isChecked === true ? chargesAlone(store as Methods) : () => false,
  }
}

/** The two methods as values, which are only compared. */
interface Methods {
  readonly evaluate: unknown
  readonly charge?: unknown
}

function chargesAlone(store: Methods): () => boolean {
  let owner: object | null = store
  while (owner !== null && !Object.hasOwn(owner, 'charge'))
    owner = Object.getPrototypeOf(owner) as object | null
  if (owner === null || !Object.hasOwn(owner, 'evaluate')) return () => false
  const { evaluate, charge } = owner as Methods
  return () => store.evaluate === evaluate && store.charge === charge
}
