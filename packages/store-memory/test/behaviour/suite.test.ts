import { storeSuite } from '@halt/conformance'
import { describe, expect, it } from 'vitest'

import { InMemoryStore } from '../../src/index.ts'

storeSuite(
  { describe, expect, it },
  { name: 'InMemoryStore', make: clock => new InMemoryStore({ clock }), histories: 15 },
)
