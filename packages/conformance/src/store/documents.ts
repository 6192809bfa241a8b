import type { Store, StoreDocument } from '@halt/core/store'

import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'

/** Tests the documents of a store. A store without documents passes. */
export function testDocuments({ describe, it, expect }: Runner, factory: StoreFactory): void {
  const test = (
    name: string,
    body: (store: Store & Required<Pick<Store, 'document'>>) => Promise<void>,
  ): void => {
    it(name, async () => {
      const store = await factory.make(() => Date.UTC(2026, 0, 1))
      try {
        if (store.document !== undefined) await body(store as Store & Required<Pick<Store, 'document'>>)
      } finally {
        await factory.end?.(store)
      }
    })
  }

  describe('documents', () => {
    test('a document that nobody has written has version 0 and no text', async store => {
      expect(await store.document('control').read()).toEqual({ version: 0, text: '' })
      expect(await store.document('control').read(0)).toBe(undefined)
    })

    test('a text is read as it was written, whatever it contains', async store => {
      const document = store.document('control')
      const text = `1\n{"reason":"naïve \u{1F6D1} \\u0000","size":"${'x'.repeat(70_000)}"}\n\n`
      expect(await document.write(text, 0)).toBe(1)
      expect(await document.read()).toEqual({ version: 1, text })
      expect(await document.read(0)).toEqual({ version: 1, text })
      expect(await document.read(1)).toBe(undefined)
      expect(await document.write('', 1)).toBe(2)
      expect(await document.read(1)).toEqual({ version: 2, text: '' })
    })

    test('a write by a writer that did not see the last one is refused and changes nothing', async store => {
      const document = store.document('control')
      await document.write('first', 0)
      expect(await document.write('second', 0)).toBe(undefined)
      expect(await document.write('second', 2)).toBe(undefined)
      expect(await document.read()).toEqual({ version: 1, text: 'first' })
    })

    test('of many writers at once, each write that is accepted follows another', async store => {
      const add = async (document: StoreDocument, name: number): Promise<void> => {
        for (;;) {
          const { version, text } = (await document.read()) ?? { version: 0, text: '' }
          if ((await document.write(`${text}${name},`, version)) !== undefined) return
        }
      }
      await Promise.all(Array.from({ length: 8 }, (_, name) => add(store.document('control'), name)))
      const { version, text } = (await store.document('control').read()) ?? { version: 0, text: '' }
      expect(version).toBe(8)
      expect(text.split(',').sort().join('')).toBe('01234567')
    })

    test('documents of two names are two', async store => {
      await store.document('control').write('a', 0)
      await store.document('control-history').write('b', 0)
      expect(await store.document('control').read()).toEqual({ version: 1, text: 'a' })
      expect(await store.document('control-history').read()).toEqual({ version: 1, text: 'b' })
    })
  })
}
