import { describe, expect, it } from 'vitest'

import { hintFor } from '../../src/base/suggestion.ts'

const LIMITER = [
  'store',
  'policy',
  'storeTimeout',
  'clientIpHeader',
  'clientIp',
  'trustedProxies',
  'skip',
  'onStoreError',
]
const POLICY = ['name', 'limit', 'cost', 'keyStrategy', 'keyExtractor', 'window', 'burst', 'exemptions']

describe('the hint for an unknown option', () => {
  it.each([
    ['storeTimout', 'storeTimeout'],
    ['clientIP', 'clientIp'],
    ['trustProxy', 'trustedProxies'],
    ['polcy', 'policy'],
  ])('the hint for misspelt "%s" names the nearest option, not one that begins alike', (given, meant) => {
    expect(hintFor(given, LIMITER)).toBe(`Did you mean "${meant}"?`)
  })

  it.each([
    ['rate', POLICY, 'limit'],
    ['reservoir', POLICY, 'limit'],
    ['weight', POLICY, 'cost'],
    ['points', POLICY, 'limit'],
    ['points', ['cost', 'least'], 'cost'],
    ['timeout', ['cost', 'maxWait'], 'maxWait'],
    ['allowList', POLICY, 'exemptions'],
    ['allowList', LIMITER, 'skip'],
    ['client', LIMITER, 'store'],
    ['passOnStoreError', LIMITER, 'onStoreError'],
  ])('the hint for "%s" of another limiter names Halt’s own option', (given, known, meant) => {
    expect(hintFor(given, known)).toBe(`Use "${meant}".`)
  })

  it.each(['per', 'refill', 'zzzz'])('the hint for "%s", near to no option, guesses nothing', given => {
    expect(hintFor(given, POLICY)).toBe(`Known: ${POLICY.join(', ')}.`)
  })
})
