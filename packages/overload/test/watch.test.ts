import { expect, it } from 'vitest'

import { endingOf, type NodeResponse, watch } from '../src/http/watch.ts'
import type { Permit } from '../src/limit/permit.ts'

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

it('a response that closed while an earlier middleware waited is one of a client that has left', () => {
  const told: string[] = []
  const permit = { abandon: () => void told.push('gone'), isOpen: true, leave: () => void told.push('ended') }
  const closed = { destroyed: true, headersSent: false, statusCode: 200, on() {}, end() {}, writeHead() {} }
  watch({}, permit as unknown as Permit, {}, closed as unknown as NodeResponse)
  expect(told).toEqual(['gone'])
  closed.end()
  expect(told).toEqual(['gone', 'ended'])
})

it('a response that has closed behind others of its connection is one of a client that has left', () => {
  const told: string[] = []
  const permit = { abandon: () => void told.push('gone'), isOpen: true, leave: () => void told.push('ended') }
  const response = { headersSent: false, statusCode: 200, end() {}, writeHead() {} }
  let close = (): void => {}
  Object.assign(response, { on: (_event: string, listener: () => void) => (close = listener.bind(response)) })
  watch({}, permit as unknown as Permit, {}, response as unknown as NodeResponse)
  close()
  expect(told).toEqual(['gone'])
})
