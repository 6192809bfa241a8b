import { adapterSuite } from '@halt/conformance'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { onNode } from '../adapter.ts'
import { stores } from '../app.ts'

// On Bun, Deno and workerd it meets a store that answers at once.
adapterSuite({ describe, expect, it }, onNode, isFull ? stores : stores.slice(1))
