import { expect, it } from 'vitest'

import { toHeaders } from '../src/outgoing-call.ts'

it.each([
  ['an object', { a: 'x', none: undefined, empty: null, n: 7, list: ['1', undefined, '2'] }],
  ['a flat list', ['a', 'x', 'none', undefined, 'empty', null, 'n', 7, 'list', ['1', '2'], 'half']],
  [
    'pairs',
    new Map<string, unknown>([
      ['a', 'x'],
      ['none', undefined],
      ['n', 7],
      ['list', ['1', '2']],
    ]),
  ],
])('the headers of a call may be %s, and those without a value are left out', (_what, given) => {
  expect([...toHeaders(given)]).toEqual([
    ['a', 'x'],
    ['list', '1, 2'],
    ['n', '7'],
  ])
})

it.each([undefined, null, 'text', 7])('headers that are %s are none', given => {
  expect([...toHeaders(given)]).toEqual([])
})
