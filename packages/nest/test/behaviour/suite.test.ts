import { adapterSuite } from '@halt/conformance'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { adapterOn, stores } from '../adapter.ts'
import { platforms } from '../app.ts'

/** The store of each platform in the short form. Redis answers later. */
const USUAL = { express: 'memory', fastify: 'Redis' } as const

for (const platform of platforms) {
  const some = stores.filter(({ name }) => name === USUAL[platform])
  adapterSuite({ describe, expect, it }, adapterOn(platform), isFull ? stores : some)
}
