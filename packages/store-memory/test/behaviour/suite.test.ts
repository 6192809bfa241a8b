import { storeSuite } from '@halt/core/testing'
import { describe, expect, it } from 'vitest'

import { InMemoryStore } from '../../src/index.ts'

storeSuite(
  { describe, expect, it },
  { name: 'InMemoryStore', make: clock => new InMemoryStore({ clock }), histories: 40 },
)
