import { describe, expect, it } from 'vitest'

import { PICTURES } from '../src/pictures/index.ts'
import { COLOURS, svg, type Theme } from '../src/pictures/svg.ts'

// `pnpm --filter @halt/site pictures` draws them again.
describe.each(Object.keys(PICTURES))('the picture %s', name => {
  it.each(['light', 'dark'] satisfies Theme[])(
    'the picture is drawn from its present data, for a %s page',
    async theme => {
      const picture = await PICTURES[name]?.(COLOURS[theme])
      expect(picture).toBeDefined()
      if (picture === undefined) return
      await expect(svg(picture, COLOURS[theme])).toMatchFileSnapshot(
        `../../../docs/images/${name}-${theme}.svg`,
      )
    },
  )
})
