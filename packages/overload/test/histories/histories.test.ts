// Random histories over real sockets: clients that pipeline, upload slowly, reset streams and leave at any time; handlers that
// answer early or late, stream, fail, or tear their connections. Each request gets one decision and one answer, and each place is
// freed once. `HALT_SEED=n` plays others.
import { describe, expect, it } from 'vitest'

import { seed } from '../../../../tools/chance.ts'
import { isFull } from '../../../../tools/full.ts'
import { play } from './play.ts'
import { STAGES } from './stages.ts'
import { VARIANTS } from './variants.ts'

const RUNS = isFull ? 20 : 1

describe.each(STAGES)('$name', stage => {
  it.each(VARIANTS)('a server answers each request once, and frees each place once, $name', async variant => {
    for (let i = 0; i < RUNS; i++)
      expect(await play(stage, variant, seed + i), `seed ${seed + i}`).toEqual([])
  })
})
