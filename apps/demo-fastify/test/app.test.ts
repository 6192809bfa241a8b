import { demoSuite } from '@halt/demo-kit/testing'

import { isFull } from '../../../tools/full.ts'
import { start } from '../src/start.ts'

// demo-express runs on Redis with this library, and plays the show in all ways.
const SHORT = { stores: ['memory'], shows: ['memory'] } as const

demoSuite(start, isFull ? { inRealTime: true } : SHORT)
