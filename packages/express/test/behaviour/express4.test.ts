import { adapterSuite } from '@halt/conformance'
import express from 'express4'

import { isFull } from '../../../../tools/full.ts'
import { allBut } from '../../../../tools/parts-of-suite.ts'
import { adapterOn, stores } from '../adapter.ts'

// Both versions have one adapter, which meets a store that answers later with Express 5.
const oneStore = stores.filter(({ name }) => name === 'memory')

/** In the short form Express 5 alone plays what does not depend on the version. */
const some = allBut('a function of the application', 'a random history', 'cost')

adapterSuite(some, adapterOn('Express 4', express), isFull ? stores : oneStore)
