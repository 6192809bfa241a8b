import { Screen } from '@halt/demo-kit/screen'
import { expect, it } from 'vitest'

import { show } from '../src/show.ts'

it('an agent that loops mails without end, and with the guard it stops and says why', async () => {
  let text = ''
  const ok = await show(new Screen({ write: (more: string) => void (text += more) }))
  expect(ok, text).toBe(true)
  expect(text).not.toContain('✗')
  expect(text).toContain('30 mails and 30 looks')
  expect(text).toContain('3 mails and 4 looks')
})
