import express from 'express'
import express4 from 'express4'

import type { ExpressModule } from './adapter.ts'

/** Both versions of Express, for `describe.each`. */
export const versions: readonly (readonly [string, ExpressModule])[] = [
  ['Express 5', express],
  ['Express 4', express4],
]
