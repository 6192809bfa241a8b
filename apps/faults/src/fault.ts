import type { RateLimiter } from '@halt/core'

import type { Application } from './application.ts'
import type { Form } from './form.ts'
import type { Place, RedisName, ServerName } from './place.ts'
import type { Row } from './row.ts'
import type { Verified } from './stage.ts'
import type { World, Wish } from './world.ts'

/** One row of the table: a run whose results are compared with bounds. */
export interface Scene {
  readonly name: string
  /** The servers that it runs on; empty if it needs none. */
  readonly on: readonly ServerName[]
  /** True if it needs a process of its own, because it measures memory or the event loop, or changes the clock. */
  readonly alone?: boolean
  /** True if it needs the whole machine, and so runs after all others. */
  readonly heavy?: boolean
  /** True if the short form leaves it out. */
  readonly isLongOnly?: boolean
  run(place: Place, form: Form): Promise<Row>
}

/** A fault of a Redis under load: how it begins and how it ends. */
export interface Fault {
  readonly name: string
  readonly on: readonly RedisName[]
  readonly alone?: boolean
  /** The server set-up that it needs. */
  readonly wish?: Wish
  /** The connection that the store uses; default: its own. */
  readonly connection?: 'own' | 'shared'
  /** True if there is no server until the fault ends. */
  readonly fromStart?: boolean
  begin(world: World, application: Application, limiter: RateLimiter): Promise<unknown>
  /** Ends the fault; recovery is measured from here. */
  end(world: World, application: Application): Promise<unknown>
  /** Checks what else must hold after the recovery: a note for the row, and the bound that was missed. */
  verify?(world: World, limiter: RateLimiter): Promise<Verified>
  /** The most units admitted beyond the limit; default: none for a known abuser, one local share for a new one. */
  over?(world: World): { readonly known: number; readonly fresh: number }
}
