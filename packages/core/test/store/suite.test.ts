import { describe, expect, it } from 'vitest'

import { casStore } from '../../src/store/index.ts'
import { ReferenceStore, storeSuite } from '../../src/testing/index.ts'
import { LocalStore } from '../../src/resilience/local-store.ts'
import { versioned } from './versioned.ts'

storeSuite({ describe, expect, it }, { name: 'reference', make: clock => new ReferenceStore(clock) })

storeSuite(
  { describe, expect, it },
  { name: 'local', make: clock => new LocalStore(() => Math.floor(clock() * 1000)) },
)

storeSuite(
  { describe, expect, it },
  {
    name: 'casStore',
    make: clock => casStore(versioned(), { clock, attempts: 500 }),
    ordered: false,
  },
)
