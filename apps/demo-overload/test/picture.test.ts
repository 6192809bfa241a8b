import { describe, expect, it } from 'vitest'

import type { Fate, Visit } from '../src/customers.ts'
import { picture, sumUp } from '../src/picture.ts'

const visits = (path: string, ...fates: readonly (readonly [at: number, fate: Fate])[]): Visit[] =>
  fates.map(([at, fate]) => ({ path, at, fate }))

describe('picture', () => {
  const scene = {
    paths: ['/a', '/long'],
    visits: [
      ...visits('/a', [0, 'answered'], [100, 'answered'], [250, 'left'], [450, 'answered'], [500, 'refused']),
      ...visits('/long', [210, 'refused']),
    ],
    length: 600,
    surge: [200, 400],
    said: 'shop: calm',
    hasColours: false,
  } as const

  it('the picture draws a bar for each fifth of a second, the surge, and what the shedder says', () => {
    const [first, second, axis, said] = picture(scene)
    expect(first).toBe('/a     █▁▅   60 % answered, 1 told to come later, 1 waited in vain')
    expect(second).toBe('/long   ▁     0 % answered, 1 told to come later, 0 waited in vain')
    expect(axis?.trim()).toMatch(/^└.*┘$/)
    expect(said).toBe('shop: calm')
  })

  it('the picture colours a bar with requests that waited in vain red', () => {
    const [row = ''] = picture({ ...scene, hasColours: true })
    expect(row).toContain('\u001B[31m▁')
    expect(row).toContain('\u001B[32m█')
  })

  it('sumUp sums nothing up as nothing', () => {
    expect(sumUp([])).toBe('  0 % answered, 0 told to come later, 0 waited in vain')
  })
})
