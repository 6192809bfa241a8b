import { expect, it } from 'vitest'

import { toUndo } from '../../src/operate/target.ts'

it.each([
  [
    { policy: 'limits.ts', redis: 'redis://db:6379', reason: 'spam' },
    '--policy limits.ts --redis redis://db:6379',
  ],
  [{ postgres: 'postgres://halt:secret@db/shop', schema: 'shop' }, '--schema shop'],
  [{ sqlite: 'my limits.db' }, "--sqlite 'my limits.db'"],
])('what undoes a call says where the call looked, and no password: %j', (flags, where) => {
  expect(toUndo('unblock user:7', { positionals: ['user:7'], flags })).toBe(
    `npx @halt/cli unblock user:7 ${where}`,
  )
})
