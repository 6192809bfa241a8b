import { adapterSuite } from '@halt/conformance'
import { describe, expect, it } from 'vitest'

import { onNode } from '../adapter.ts'
import { redis } from '../../../store-redis/test/store-under-test.ts'
import { isFull } from '../../../../tools/full.ts'
import { stores } from '../app.ts'

// On Bun, Deno and workerd it meets a store that answers later.
adapterSuite({ describe, expect, it }, onNode, isFull ? [...stores, redis] : stores.slice(0, 1))
