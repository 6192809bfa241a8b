// The one store that all processes of a world share, as its server sees it: it decides, and can lose what it knows.
import type { Group, Store } from '../../src/databases/index.ts'
import type { VirtualCore } from './virtual-core.ts'
import type { VirtualTime } from './virtual-time.ts'

/** The server side of a world. */
export interface Server {
  /** The store that decides. */
  readonly store: Store
  /** By how many milliseconds the server's clock is ahead of the world's. */
  skewMs: number
  /**
   * Whether the clock is a client's, so that a real store does not believe it when it steps back: other clients may be ahead. Only a
   * server's own clock is believed, and a test cannot set that of a real one back.
   */
  readonly isClientClock?: boolean
  /** Forgets every counter: a restart without persistence, a flush. Documents stay. */
  lose(): void | Promise<void>
  /** Forgets what the last milliseconds have written: a failover to a replica that lags. Undefined if it cannot. */
  readonly loseLast?: ((ms: number) => void) | undefined
  /** Ends what the server itself opened. */
  close?(): Promise<void>
}

/** Makes a server for a world. Its clock must be `clock`, in Unix milliseconds with fractions. */
export type MakeServer = (clock: () => number, time: VirtualTime) => Server | Promise<Server>

/** A server in memory: the plainest store. It can go back to what it knew some milliseconds ago. */
export function memoryServer({ ReferenceStore }: Pick<VirtualCore, 'ReferenceStore'>): MakeServer {
  return (clock, time) => {
    let at: number | undefined
    const make = (): Store => new ReferenceStore(() => at ?? clock())
    let inner = make()
    // What the server was told, so that a replica can be made that has heard less.
    let told: {
      readonly arrived: number
      readonly instant: number
      readonly play: (store: Store) => unknown
    }[] = []
    const tell = <T>(play: (store: Store) => T): T => {
      told.push({ arrived: time.now, instant: clock(), play })
      return play(inner)
    }
    const documents = inner
    // It was written long ago, so a replica that lags has it, too.
    let losses = 0
    const mark = { read: async () => `mark ${losses}` }
    return {
      skewMs: 0,
      store: {
        kind: 'server',
        isShared: false,
        clock,
        evaluate: (group: Group) => tell(store => store.evaluate(group)),
        forget: counters => tell(store => store.forget(counters)),
        document: name => documents.document!(name),
        mark: () => mark,
      },
      lose: () => {
        losses++
        told = []
        inner = make()
      },
      loseLast: ms => {
        told = told.filter(({ arrived }) => arrived < time.now - ms * 1000)
        inner = make()
        for (const { instant, play } of told) {
          at = instant
          play(inner)
        }
        at = undefined
      },
    }
  }
}

/**
 * Makes a server of a store that is a client of a real one. `make` opens a store that is empty, with the given clock; the last
 * one is asked again when the world wants its counters lost. Documents stay in the first.
 */
export function realServer(make: (clock: () => number) => Store | Promise<Store>): MakeServer {
  return async clock => {
    const first = await make(clock)
    let inner = first
    return {
      skewMs: 0,
      isClientClock: true,
      store: {
        kind: 'server',
        evaluate: group => inner.evaluate(group),
        forget: counters => inner.forget(counters),
        document: name => first.document!(name),
      },
      lose: async () => {
        inner = await make(clock)
      },
    }
  }
}
