import type { RateLimiter } from '@halt/core'

import type { Application } from './application.ts'
import type { Form } from './form.ts'
import type { Place, ServerName } from './place.ts'
import type { Row } from './row.ts'
import type { World, Wish } from './world.ts'

/** One row of the table: something is done, and what came of it is held against its bounds. */
export interface Scene {
  readonly name: string
  /** The servers it makes sense on; empty where it needs none. */
  readonly on: readonly ServerName[]
  /** Whether it wants a process of its own: it measures memory or the event loop, or turns the clock. */
  readonly alone?: boolean
  /** Whether it takes the whole machine, and is played when all else is over. */
  readonly heavy?: boolean
  run(place: Place, form: Form): Promise<Row>
}

/** A fault of a Redis under load: how it begins and how it ends. */
export interface Fault {
  readonly name: string
  readonly on: readonly ServerName[]
  readonly alone?: boolean
  /** What it needs of the servers. */
  readonly wish?: Wish
  /** The connection that the store uses, default its own. */
  readonly connection?: 'own' | 'shared'
  /** Whether there is no server until it ends. */
  readonly fromStart?: boolean
  begin(world: World, application: Application, limiter: RateLimiter): Promise<unknown>
  /** Mends it; what recovers is measured from here. */
  end(world: World, application: Application): Promise<unknown>
  /** What else must hold when all is well again: what was seen, and what was missed. */
  verify?(world: World, limiter: RateLimiter): Promise<{ note: string; missed?: string | undefined }>
  /** The most that is admitted beyond the limit; default nothing to a known abuser, one local share to a new one. */
  over?(world: World): { readonly known: number; readonly fresh: number }
}
