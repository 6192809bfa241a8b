import { adapterSuite } from '@halt/conformance'
import express from 'express4'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { adapterOn, stores } from '../adapter.ts'

const withoutRedis = stores.filter(({ name }) => name !== 'Redis')

adapterSuite({ describe, expect, it }, adapterOn('Express 4', express), isFull ? stores : withoutRedis)
