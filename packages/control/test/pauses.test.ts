import { expect, it } from 'vitest'

import { mistake } from '../../core/test/world.ts'
import { checkPausable, pauseLength } from '../src/index.ts'

it('a limit that counts a client alone can be paused for it, and other limits cannot', () => {
  checkPausable({ name: 'p', keyStrategy: 'user' })
  for (const [policy, says] of [
    [{ name: 'p', period: 'daily' }, 'p is a quota'],
    [{ name: 'p', keyStrategy: 'shared' }, 'p counts all clients together'],
    [{ name: 'p', scope: 'route' }, 'p counts each route apart'],
  ] as const)
    expect(mistake(() => checkPausable(policy))).toMatchObject({
      code: 'HALT_E_CONTROL',
      summary: expect.stringContaining(says),
    })
})

it('a pause lasts for the length of the act, until its end, or until somebody resumes the client', () => {
  expect(pauseLength({ for: '2h' })).toEqual({ for: '2h' })
  expect(pauseLength({})).toEqual({})
  expect(pauseLength({ until: new Date(0) })).toEqual({ for: '1ms' })
  const { for: length } = pauseLength({ until: new Date(Date.now() + 60_000) })
  expect(Number.parseInt(`${length}`)).toBeLessThanOrEqual(60_000)
  expect(Number.parseInt(`${length}`)).toBeGreaterThan(0)
})
