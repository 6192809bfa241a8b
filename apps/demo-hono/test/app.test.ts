import { demoSuite } from '@halt/demo-kit/testing'

import { isFull } from '../../../tools/full.ts'
import { start } from '../src/start.ts'

// demo-express plays the show in all ways.
const SHORT = { stores: ['Redis'], shows: ['Redis'] } as const

demoSuite(start, {
  library: 'node-redis',
  ...(isFull ? { inRealTime: true } : SHORT),
})
