import type { RateLimiter } from '@halt/core'
import { PostgresStore } from '@halt/store-postgres'

import type { Scene } from '../fault.ts'
import { playOutage } from '../outage.ts'
import { type Place, postgresPlace } from '../place.ts'
import type { Stage, Verified } from '../stage.ts'
import { openPool } from './application.ts'
import { PostgresWorld } from './world.ts'

/** A fault of a PostgreSQL under load: how it begins and how it ends. */
export interface PostgresFault {
  readonly name: string
  /** True if there is no server until the fault ends. */
  readonly fromStart?: boolean
  /** The least length of the fault in the long form, in milliseconds. */
  readonly lasts?: number
  /** True if the short form leaves it out, because a test of `@halt/store-postgres` covers it, or a similar fault. */
  readonly isLongOnly?: boolean
  begin(world: PostgresWorld, limiter: RateLimiter): Promise<unknown>
  /** Ends the fault; recovery is measured from here. */
  end(world: PostgresWorld): Promise<unknown>
  /** Checks what else must hold after the recovery. */
  verify?(limiter: RateLimiter): Promise<Verified>
}

/** Makes a scene of a fault of a PostgreSQL. */
export function postgresOutage(fault: PostgresFault): Scene {
  const { name, lasts = 0, isLongOnly = false } = fault
  return {
    name,
    on: ['postgres'],
    isLongOnly,
    run: async (place, { everywhere, faultMs }) =>
      playOutage(name, place, everywhere ? Math.max(faultMs, lasts) : faultMs, await stageOf(fault, place)),
  }
}

async function stageOf(fault: PostgresFault, place: Place): Promise<Stage> {
  const world = await PostgresWorld.start()
  if (fault.fromStart) await world.server.end('SIGINT')
  const application = openPool(postgresPlace(place).client, world.proxy.port)
  return {
    store: new PostgresStore({ query: application.query }),
    fromStart: fault.fromStart ?? false,
    keys: 1,
    pings: undefined,
    begin: limiter => fault.begin(world, limiter),
    end: () => fault.end(world),
    verify: async limiter => fault.verify?.(limiter),
    over: () => undefined,
    async close() {
      await application.kill()
      await world.stop()
    },
  }
}
