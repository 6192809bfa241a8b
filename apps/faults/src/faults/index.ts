import type { Scene } from '../fault.ts'
import { outage } from '../outage.ts'
import { absences } from './absences.ts'
import { clock } from './clock.ts'
import { localFlood, memoryFlood } from './flood.ts'
import { losses } from './losses.ts'
import { processes } from './processes.ts'
import { refusals } from './refusals.ts'
import { tenMinutes } from './ten-minutes.ts'

/** All scenes, in the order of the table. */
export const scenes: readonly Scene[] = [
  ...[...absences, ...refusals, ...losses, clock].map(outage),
  tenMinutes,
  memoryFlood,
  localFlood,
  ...processes,
]
