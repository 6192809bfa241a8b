import { adapterSuite } from '@halt/conformance'
import express from 'express4'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { adapterOn, stores } from '../adapter.ts'

// Both versions have one adapter, which meets a store that answers later with Express 5.
const some = stores.filter(({ name }) => name === 'memory')

adapterSuite({ describe, expect, it }, adapterOn('Express 4', express), isFull ? stores : some)
