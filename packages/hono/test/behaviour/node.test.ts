import { adapterSuite } from '@halt/conformance'
import { describe, expect, it } from 'vitest'

import { onNode } from '../adapter.ts'
import { redis } from '../../../store-redis/test/store-under-test.ts'
import { isFull } from '../../../../tools/full.ts'
import { stores } from '../app.ts'

// Redis answers later, too.
const some = isFull ? stores : stores.slice(0, 1)
adapterSuite({ describe, expect, it }, onNode, [...some, redis])
