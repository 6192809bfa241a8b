import { expect, it } from 'vitest'

import { RedisStore } from '../src/index.ts'

it.each([undefined, {}, { client: {} }, { client: {}, prefix: '{' }, { run: 5 }])(
  'a mistake (%o) is found where the user made it: the stack begins there',
  options => {
    expect(firstLine(() => new RedisStore(options as never))).toContain('options.test.ts')
  },
)

/** The line that the stack of a mistake begins with. */
function firstLine(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).stack?.split('\n')[1] ?? ''
  }
  return 'nothing was thrown'
}
