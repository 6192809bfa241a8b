import { demoSuite } from '@halt/demo-kit/testing'

import { isFull } from '../../../tools/full.ts'
import { start } from '../src/start.ts'

// demo-fastify and demo-nest run in memory.
demoSuite(start, isFull ? { inRealTime: true } : { stores: ['Redis'] as const })
