import { expect, it } from 'vitest'

import { endingOf, type NodeResponse, watch } from '../src/http/watch.ts'
import type { Ending, Permit } from '../src/limit/permit.ts'

it.each([
  [200, 'sample'],
  [304, 'sample'],
  [404, 'drop'],
  [429, 'drop'],
  [500, 'at-least'],
  [503, 'at-least'],
])('an answer with %i tells about latency: %s', (status, ending) => {
  expect(endingOf(status)).toBe(ending)
})

it('a response that closed while an earlier middleware waited frees its place at once', () => {
  const endings: Ending[] = []
  const permit = { leave: (ending: Ending) => void endings.push(ending) } as unknown as Permit
  const closed = { destroyed: true, on: () => expect.fail('it waits for an event') }
  watch({}, permit, {}, closed as unknown as NodeResponse)
  expect(endings).toEqual(['at-least'])
})
