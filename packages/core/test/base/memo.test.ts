import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Memo } from '../../src/base/bounded-memory.ts'

describe('Memo', () => {
  it('a Memo never keeps more entries than its size, and never returns the value of another text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.array(fc.nat({ max: 20 })), (size, texts) => {
        const recent = new Memo<string>(size)
        for (const text of texts.map(String)) {
          expect([undefined, `value of ${text}`]).toContain(recent.get(text))
          recent.set(text, `value of ${text}`)
          expect(recent.get(text)).toBe(`value of ${text}`)
          expect(recent.size).toBeLessThanOrEqual(size)
        }
      }),
    )
  })

  it('a Memo keeps entries that are read during a flood of new texts', () => {
    const recent = new Memo<number>(100)
    recent.set('regular', 1)
    for (let i = 0; i < 10_000; i++) {
      recent.set(`new ${i}`, i)
      if (i % 40 === 0) expect(recent.get('regular')).toBe(1)
    }
    expect(recent.get('new 0')).toBeUndefined()
  })

  it('a Memo does not keep the string alive that a text was cut from', () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const recent = new Memo<number>(4096)
    gc()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < 2000; i++) {
      const header = `${i}-`.padEnd(16_384, 'x')
      recent.set(header.slice(0, 40), i)
    }
    gc()
    // 2000 whole headers would be 32 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4e6)
    expect(recent.size).toBe(2000)
  })
})
