import { adapterSuite } from '@halt/conformance'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { adapterOn, stores } from '../adapter.ts'
import { platforms } from '../app.ts'

/** The store that a platform does without, because the other platform has it: both answer later. */
const SPARED = { express: 'Redis', fastify: 'a store that answers later' } as const

for (const platform of platforms) {
  const some = stores.filter(({ name }) => name !== SPARED[platform])
  adapterSuite({ describe, expect, it }, adapterOn(platform), isFull ? stores : some)
}
