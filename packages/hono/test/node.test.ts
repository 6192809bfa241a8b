import { adapterSuite } from '@halt/core/testing'
import { describe, expect, it } from 'vitest'

import { onNode, stores } from './adapter.ts'

adapterSuite({ describe, expect, it }, onNode, stores)
