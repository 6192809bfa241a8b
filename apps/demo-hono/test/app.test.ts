import { demoSuite } from '@halt/demo-kit/testing'

import { isFull } from '../../../tools/full.ts'
import { start } from '../src/start.ts'

demoSuite(start, {
  library: 'node-redis',
  ...(isFull ? { inRealTime: true } : { stores: ['Redis'] as const }),
})
