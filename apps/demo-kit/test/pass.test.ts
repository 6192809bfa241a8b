import { expect, it } from 'vitest'

import { Pass } from '../src/pass.ts'

const TOKEN = 'ein-langes-Wört-17'
const basic = (pair: string): string => `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`

it('the pass accepts the token as Bearer and as the password of Basic', () => {
  const pass = new Pass(TOKEN)
  for (const good of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, basic(`me:${TOKEN}`), basic(`:${TOKEN}`)])
    expect(pass.admits(good)).toBe(true)
})

it('the pass refuses any other authorization', () => {
  const pass = new Pass(TOKEN)
  const bad = [
    undefined,
    '',
    TOKEN,
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN} `.trimEnd() + '8',
    `Token ${TOKEN}`,
    basic(`${TOKEN}:me`),
    basic(`me:${TOKEN}:`),
    'Basic %%%',
  ]
  for (const authorization of bad) expect(pass.admits(authorization)).toBe(false)
})

it('the pass refuses a short token', () => {
  expect(() => new Pass('123456789012345')).toThrow('16 characters')
})
