// The chance of property tests. Each short run draws the same cases: a rare failure is found by the full run of the night, which
// draws others each time, and not by somebody else's change.
import fc from 'fast-check'
import { isFull } from './full.ts'

const EVERYDAY_SEED = 28_11

/** The seed of a run. `HALT_SEED` names that of a run that failed. */
const asked = process.env['HALT_SEED']
export const seed: number = asked
  ? Number(asked)
  : isFull
    ? Math.floor(Math.random() * 2 ** 31)
    : EVERYDAY_SEED

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })
