import { adapterSuite } from '@halt/conformance'
import express from 'express'
import { describe, expect, it } from 'vitest'

import { adapterOn, stores } from './adapter.ts'

adapterSuite({ describe, expect, it }, adapterOn('Express 5', express), stores)
