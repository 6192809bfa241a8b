import { Screen } from '@halt/demo-kit/screen'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { type ProcessScript, processScript } from '../../../tools/process-script.ts'
import { show } from '../src/show.ts'

let script: ProcessScript
beforeAll(async () => {
  script = await processScript(new URL('../src/shop-process.ts', import.meta.url))
})
afterAll(() => script.remove())

it('the show plays both scenes, and judges how checkout fared by what was answered', async () => {
  let text = ''
  const screen = new Screen({ write: (more: string) => void (text += more) })
  // Whether checkout lives depends on the machine too, so only the simulation of @halt/overload holds that.
  const lived = await show({ screen, script: script.path, calmMs: 200, surgeMs: 400 })
  expect(text).toContain('Without a shedder')
  expect(text).toMatch(/shop: \d+ in flight/)
  const [, mark, share] = /([✓✗]) checkout: (\d+) % answered with the shedder, \d+ % without/.exec(text) ?? []
  expect(mark).toBe(lived ? '✓' : '✗')
  // The share is rounded.
  if (lived) expect(Number(share)).toBeGreaterThanOrEqual(90)
  else expect(Number(share)).toBeLessThanOrEqual(90)
  expect(text.match(/└─* ?su?r?g?e?/g)).toHaveLength(2)
})
