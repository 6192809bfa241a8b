import { adapterSuite } from '@halt/conformance'
import express from 'express'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { adapterOn, stores } from '../adapter.ts'

// Redis answers later. A store that answers at once meets Express 4.
const some = stores.filter(({ name }) => name === 'Redis')

adapterSuite({ describe, expect, it }, adapterOn('Express 5', express), isFull ? stores : some)
