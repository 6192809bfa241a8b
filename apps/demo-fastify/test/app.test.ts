import { demoSuite } from '@halt/demo-kit/testing'

import { isFull } from '../../../tools/full.ts'
import { start } from '../src/start.ts'

// demo-express runs on Redis with this library.
demoSuite(start, isFull ? { inRealTime: true } : { stores: ['memory'] as const })
