import { storeSuite } from '@halt/conformance'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { InMemoryStore } from '../../src/index.ts'

storeSuite(
  { describe, expect, it },
  { name: 'InMemoryStore', make: clock => new InMemoryStore({ clock }), histories: isFull ? 15 : 2 },
)
