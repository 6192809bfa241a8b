import type { Scene } from '../fault.ts'
import { postgresFaults } from '../postgres/faults.ts'
import { postgresOutage } from '../postgres/outage.ts'
import { redisOutage } from '../redis-outage.ts'
import { absences } from './absences.ts'
import { rollingDeploys } from '../deploy/rolling.ts'
import { clock } from './clock.ts'
import { localFlood, memoryFlood } from './flood.ts'
import { losses } from './losses.ts'
import { processes } from './processes.ts'
import { refusals } from './refusals.ts'
import { tenMinutes } from './ten-minutes.ts'

/** All scenes, in the order of the table. */
export const scenes: readonly Scene[] = [
  ...[...absences, ...refusals, ...losses, clock].map(redisOutage),
  tenMinutes,
  memoryFlood,
  localFlood,
  ...processes,
  ...rollingDeploys,
  ...postgresFaults.map(postgresOutage),
]
