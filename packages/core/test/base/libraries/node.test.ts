// A condition of package.json picks one of these files. Tests and users' builds pick different ones, so all must be alike.
import { afterAll, describe, expect, it, vi } from 'vitest'

import * as bundled from '../../../src/base/libraries/bundled.ts'
import * as node from '../../../src/base/libraries/node.ts'
import * as portable from '../../../src/base/libraries/portable.ts'

type Libraries = typeof portable

const all: [name: string, Libraries][] = [
  ['bundled.ts', bundled],
  ['node.ts', node],
]

// The build writes `import` for this name.
vi.stubGlobal('hostImport', async (name: string) => import(name))
afterAll(async () => {
  await new Promise(resolve => void setImmediate(resolve))
  vi.unstubAllGlobals()
})

describe.each(all)('%s', (_name, libraries) => {
  it('the module has the exports of portable.ts', () => {
    expect(Object.keys(libraries).sort()).toEqual(Object.keys(portable).sort())
  })

  it('the module has no hashes, because Node has them', () => {
    expect(libraries.hashes()).toBeUndefined()
  })

  it('the module gives ipaddr.js at once', () => {
    expect(libraries.addresses().IPv6.parse('2001:db8::1').parts).toEqual([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])
  })

  it('the module may be asked to load in advance, more than once', () => {
    libraries.prepare()
    libraries.prepare()
    expect(libraries.addresses()).toBe(libraries.addresses())
  })
})
