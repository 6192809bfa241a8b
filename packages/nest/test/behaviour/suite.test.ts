import { adapterSuite } from '@halt/conformance'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { adapterOn, stores } from '../adapter.ts'
import { platforms } from '../app.ts'

/** The store of each platform in the short form. Redis answers later. */
const USUAL = { express: 'memory', fastify: 'Redis' } as const
const runner: Parameters<typeof adapterSuite>[0] = { describe, expect, it }
/** What depends on the platform: how a response begins and ends, its headers, addresses, routes and connections. */
const PARTS =
  /^(Nest|statuses|headers|onLimited|several|one |methods|CORS|a response|the client|scope|an HTTP|close|a client|a concurrency|delay$)/
/** In the short form Express, where the same guard decides, only plays these parts of the suite. */
const some: typeof runner = {
  ...runner,
  describe: (title, body) => (PARTS.test(title) ? runner.describe(title, body) : undefined),
}

for (const platform of platforms) {
  const usual = stores.filter(({ name }) => name === USUAL[platform])
  const isWhole = isFull || platform === 'fastify'
  adapterSuite(isWhole ? runner : some, adapterOn(platform), isFull ? stores : usual)
}
