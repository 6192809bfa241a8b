import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { bundle } from '../bundle.mjs'
import { scenes } from '../src/faults/index.ts'
import { SHORT } from '../src/form.ts'
import type { Row } from '../src/row.ts'
import { clean } from '../src/postgres/world.ts'
import { play, schedule } from '../src/schedule.ts'
import { lineOf } from '../src/table.ts'

const runs = schedule(scenes, SHORT, { faults: [], clients: [], servers: [] })
let rows: Promise<Row>[] = []

beforeAll(async () => {
  // Each server adds an exit listener to the process.
  process.setMaxListeners(200)
  await bundle()
  rows = play(runs, SHORT)
})

afterAll(async () => {
  console.log([lineOf(), ...(await Promise.all(rows)).map(lineOf)].join('\n'))
  await clean()
})

describe('Halt keeps its bounds', () => {
  for (const [i, { scene, place }] of runs.entries()) {
    const where = scene.on.length === 0 ? '' : `: ${place.server}, ${place.client}`
    it(`Halt keeps its bounds in the scene "${scene.name}"${where}`, { timeout: 240_000 }, async () => {
      expect(await rows[i]).toMatchObject({ fault: scene.name, missed: [] })
    })
  }
})
