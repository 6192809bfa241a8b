import express from 'express'
import express4 from 'express4'
import express51 from 'express51'

import type { ExpressModule } from './adapter.ts'

/** The versions of Express whose routers differ, for `describe.each`. */
export const versions: readonly (readonly [string, ExpressModule])[] = [
  ['Express 5', express],
  ['Express 5.1', express51],
  ['Express 4', express4],
]
