import { demoSuite } from '@halt/demo-kit/testing'

import { isFull } from '../../../tools/full.ts'
import { start } from '../src/start.ts'

// At night all demos run in memory, too.
demoSuite(start, isFull ? { inRealTime: true } : { stores: ['Redis'] as const })
