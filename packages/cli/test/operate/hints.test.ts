import { expect, it } from 'vitest'

import { toPaste } from '../../src/operate/target.ts'

it.each([
  [
    { policy: 'limits.ts', redis: 'redis://db:6379', reason: 'spam' },
    '--policy limits.ts --redis redis://db:6379',
  ],
  [{ postgres: 'postgres://halt:secret@db/shop', schema: 'shop' }, '--schema shop'],
  [{ sqlite: 'my limits.db' }, "--sqlite 'my limits.db'"],
])('a hint says where the call looked, and no password: %j', (flags, where) => {
  expect(toPaste('unblock user:7', { positionals: ['user:7'], flags })).toBe(
    `npx @halt/cli unblock user:7 ${where}`,
  )
})
