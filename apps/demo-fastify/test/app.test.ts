import { demoSuite } from '@halt/demo-kit/testing'

import { start } from '../src/start.ts'

demoSuite(start)
