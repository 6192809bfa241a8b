import { adapterSuite } from '@halt/conformance'

import { isFull } from '../../../../tools/full.ts'
import { allBut, only } from '../../../../tools/parts-of-suite.ts'
import { adapterOn, stores } from '../adapter.ts'
import { platforms } from '../app.ts'

/** The store of each platform in the short form. Redis answers later. */
const USUAL = { express: 'memory', fastify: 'Redis' } as const
/**
 * In the short form Express, where the same guard decides, only plays what depends on the platform: how a response begins and ends, its
 * headers, addresses, routes and connections.
 */
const platformAlone = only(
  'statuses',
  'headers',
  'onLimited',
  'several guards',
  'one limiter',
  'one connection',
  'methods',
  'CORS',
  'the client address',
  'scope',
  'close()',
  'a client that',
  'a concurrency policy',
  'delay',
)

/** Fastify leaves odd values to @halt/express, because the guard of all adapters reads them. */
const most = allBut('a function of the application')

for (const platform of platforms) {
  const usual = stores.filter(({ name }) => name === USUAL[platform])
  adapterSuite(platform === 'fastify' ? most : platformAlone, adapterOn(platform), isFull ? stores : usual)
}
