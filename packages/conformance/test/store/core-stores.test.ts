// The stores that @halt/core has itself.
import { casStore } from '@halt/core/store'
import { LocalStore, ReferenceStore } from '@halt/core/testing'
import { describe, expect, it } from 'vitest'

import { versioned } from '../../../core/test/store/versioned.ts'
import { isFull } from '../../../../tools/full.ts'
import { storeSuite } from '../../src/index.ts'

const histories = isFull ? 10 : 2

storeSuite(
  { describe, expect, it },
  { name: 'reference', make: clock => new ReferenceStore(clock), histories },
)

storeSuite(
  { describe, expect, it },
  {
    name: 'local',
    make: clock => new LocalStore(() => Math.floor(clock() * 1000)),
    documents: false,
    histories,
  },
)

storeSuite(
  { describe, expect, it },
  {
    name: 'casStore',
    make: clock => casStore(versioned(), { clock, attempts: 500 }),
    ordered: false,
    histories,
  },
)
