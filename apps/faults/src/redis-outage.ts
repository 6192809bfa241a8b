import { RedisStore } from '@halt/store-redis'

import { ask } from '../../../tools/servers.ts'
import { openApplication } from './application.ts'
import type { Fault, Scene } from './fault.ts'
import { playOutage } from './outage.ts'
import { redisPlace, type RedisPlace } from './place.ts'
import type { Stage } from './stage.ts'
import { World } from './world.ts'

/** Makes a scene of a fault of a Redis. */
export function redisOutage(fault: Fault): Scene {
  return {
    name: fault.name,
    on: fault.on,
    ...(fault.alone ? { alone: true } : {}),
    run: async (place, form) =>
      playOutage(fault.name, place, form.faultMs, await stageOf(fault, redisPlace(place))),
  }
}

async function stageOf(fault: Fault, { server, client: library }: RedisPlace): Promise<Stage> {
  const world = await World.start(server, fault.wish ?? {})
  if (fault.fromStart) await world.first.stop()
  const application = openApplication(library, server, world.port)
  const { client } = application
  return {
    store: new RedisStore({ client, connection: fault.connection, warn: () => {} }),
    fromStart: fault.fromStart ?? false,
    keys: server === 'cluster' ? 12 : 1,
    begin: limiter => fault.begin(world, application, limiter),
    end: () => fault.end(world, application),
    verify: async limiter => fault.verify?.(world, limiter),
    over: () => fault.over?.(world),
    pings:
      fault.over &&
      world.masters.map(
        ({ port }) =>
          () =>
            ask(port, 'PING'),
      ),
    async close() {
      application.kill()
      await world.stop()
    },
  }
}
