import { describe, expect, it } from 'vitest'

import { fromHash, toHash } from '../../src/playground/link.ts'
import { FIRST, type Setup } from '../../src/playground/setup.ts'

const SETUP: Setup = {
  sides: [
    [{ name: 'api', limit: 7, window: '1m', burst: 3, blockDuration: '5m' }],
    [
      {
        name: 'day',
        limit: 90,
        window: '1d',
        algorithm: 'sliding-window',
        precision: 24,
        keyStrategy: 'user',
      },
      { name: 'all', limit: 50, window: '1s', keyStrategy: 'shared', fair: { by: 'ip' } },
    ],
  ],
  traffic: { kind: 'attacker', perSecond: 4.5, clients: 8, attack: 20 },
  lasts: 2.5,
  speed: 40,
}
const linkOf = (data: unknown): string => `#try=${btoa(JSON.stringify(data))}`

describe('a link to a set-up', () => {
  it('a link to a set-up carries all of it', () => expect(fromHash(toHash(SETUP))).toEqual(SETUP))

  it('a link to a set-up has only characters that mail and chat programs leave as they are', () =>
    expect(toHash(SETUP)).toMatch(/^#try=[\w-]+$/))

  it('a link to a set-up does not carry the text of a log', () => {
    const log = { ...SETUP, traffic: { kind: 'log', text: '203.0.113.7 secret' } } as const
    expect(fromHash(toHash(log))).toEqual({ ...SETUP, traffic: { kind: 'log', text: '' } })
  })

  it('an anchor that is no link to a set-up gives the first set-up', () =>
    expect(fromHash('#what-you-see')).toBe(FIRST))
})

describe('a bad link gives a sentence', () => {
  const of = (change: object): unknown => fromHash(linkOf({ ...SETUP, ...change }))
  const withPolicy = (policy: unknown): unknown => of({ sides: [[policy]] })

  it.each([
    ['that is cut', () => fromHash(toHash(SETUP).slice(0, -9)), /^This link is cut or damaged/],
    ['that is not text', () => fromHash('#try=%%%'), /^This link is cut or damaged/],
    ['with three sides', () => of({ sides: [[], [], []] }), /one or two sides/],
    ['with an empty side', () => of({ sides: [[]] }), /one to four policies/],
    ['with a request in flight for a year', () => of({ lasts: 1e8 }), /time of a request in flight/],
    ['with a speed of 1000', () => of({ speed: 1000 }), /speed is not a number from 1 to 100/],
    ['with other traffic', () => of({ traffic: { kind: 'flood' } }), /kind of traffic/],
    ['with inherited traffic', () => of({ traffic: { kind: 'toString' } }), /kind of traffic/],
    [
      'with a rate of 1e9',
      () => of({ traffic: { ...SETUP.traffic, attack: 1e9 } }),
      /attacker's rate is not a number/,
    ],
    [
      'with half a client',
      () => of({ traffic: { ...SETUP.traffic, clients: 0.5 } }),
      /whole number from 1 to 1000/,
    ],
    ['with a limit of 0', () => withPolicy({ name: 'api', limit: 0, window: 60 }), /^HALT_E_LIMIT: .* Give/],
    ['with a wrong window', () => withPolicy({ name: 'api', limit: 1, window: 'soon' }), /^HALT_E_WINDOW/],
    [
      'with another field',
      () => withPolicy({ name: 'api', limit: 1, window: 1, inFlight: 2 }),
      /no field "inFlight"/,
    ],
    ['with no policy', () => withPolicy(null), /not an object|HALT_E_POLICY/],
  ])('a bad link %s gives a sentence', (_what, open, sentence) => expect(open()).toMatch(sentence))
})
