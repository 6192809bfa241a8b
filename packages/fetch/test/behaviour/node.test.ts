import { adapterSuite } from '@halt/conformance'
import { describe, expect, it } from 'vitest'

import { onNode } from '../adapter.ts'
import { stores } from '../app.ts'

adapterSuite({ describe, expect, it }, onNode, stores)
