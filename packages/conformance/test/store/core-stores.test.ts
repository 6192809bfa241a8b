// The stores that @halt/core has itself.
import { casStore } from '@halt/core/store'
import { LocalStore, ReferenceStore } from '@halt/core/testing'
import { describe, expect, it } from 'vitest'

import { versioned } from '../../../core/test/store/versioned.ts'
import { isFull } from '../../../../tools/full.ts'
import { storeSuite } from '../../src/index.ts'

// The memory store's own suite plays longer ones in the short form, too.
const [histories, steps] = isFull ? [10, 500] : [1, 250]

storeSuite(
  { describe, expect, it },
  { name: 'reference', make: clock => new ReferenceStore(clock), histories, steps },
)

storeSuite(
  { describe, expect, it },
  {
    name: 'local',
    make: clock => new LocalStore(() => Math.floor(clock() * 1000)),
    documents: false,
    histories,
    steps,
  },
)

storeSuite(
  { describe, expect, it },
  {
    name: 'casStore',
    make: clock => casStore(versioned(), { clock, attempts: 500 }),
    ordered: false,
    histories,
    steps,
  },
)
