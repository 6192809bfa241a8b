import { adapterSuite } from '@halt/conformance'
import { describe, expect, it } from 'vitest'

import { adapterOn, stores } from './adapter.ts'
import { platforms } from './app.ts'

for (const platform of platforms) adapterSuite({ describe, expect, it }, adapterOn(platform), stores)
