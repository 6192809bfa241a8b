import type { Store, StoreDocument } from '@halt/core/store'

import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'

/** Tests the documents of a store. */
export function testDocuments({ describe, it, expect }: Runner, factory: StoreFactory): void {
  const test = (
    name: string,
    body: (store: Store & Required<Pick<Store, 'document'>>) => Promise<void>,
  ): void => {
    it(name, async () => {
      const store = await factory.make(() => Date.UTC(2026, 0, 1))
      try {
        await body(store as Store & Required<Pick<Store, 'document'>>)
      } finally {
        await factory.end?.(store)
      }
    })
  }

  describe('documents', () => {
    if (factory.documents === false)
      return test('a store that keeps no documents has no function for them', async store => {
        expect('document' in store).toBe(false)
      })

    test('a document that nobody has written has version "0" and no text', async store => {
      expect(await store.document('control').read()).toEqual({ version: '0', text: '' })
      expect(await store.document('control').read('0')).toBe(undefined)
    })

    test('a text is read as it was written, whatever it contains', async store => {
      const document = store.document('control')
      const text = `1\n{"reason":"naïve \u{1F6D1} \\u0000","size":"${'x'.repeat(70_000)}"}\n\n`
      const first = (await document.write(text, '0')) as string
      expect(first).toMatch(/^1-[\da-z]+$/)
      expect(await document.read()).toEqual({ version: first, text })
      expect(await document.read('0')).toEqual({ version: first, text })
      expect(await document.read(first)).toBe(undefined)
      const second = (await document.write('', first)) as string
      expect(second).toMatch(/^2-[\da-z]+$/)
      expect(await document.read(first)).toEqual({ version: second, text: '' })
    })

    test('a write by a writer that did not see the last one is refused and changes nothing', async store => {
      const document = store.document('control')
      const version = await document.write('first', '0')
      for (const since of ['0', '1', '2', '1-00000000', '2-00000000'])
        expect(await document.write('second', since)).toBe(undefined)
      expect(await document.read()).toEqual({ version, text: 'first' })
    })

    test('each accepted write of many writers at once follows another', async store => {
      const add = async (document: StoreDocument, name: number): Promise<void> => {
        for (;;) {
          const { version, text } = (await document.read()) ?? { version: '0', text: '' }
          if ((await document.write(`${text}${name},`, version)) !== undefined) return
        }
      }
      await Promise.all(Array.from({ length: 8 }, (_, name) => add(store.document('control'), name)))
      const { version, text } = (await store.document('control').read()) ?? { version: '0', text: '' }
      expect(Number.parseInt(version, 10)).toBe(8)
      expect(text.split(',').sort().join('')).toBe('01234567')
    })

    test('a store keeps documents of two names apart', async store => {
      const a = await store.document('control').write('a', '0')
      const b = await store.document('control-history').write('b', '0')
      expect(await store.document('control').read()).toEqual({ version: a, text: 'a' })
      expect(await store.document('control-history').read()).toEqual({ version: b, text: 'b' })
    })

    test('a document that begins again, because its data was lost, has no version that it had before', async store => {
      const old = (await store.document('control').write('old', '0')) as string
      const empty = await factory.make(() => Date.UTC(2026, 0, 1))
      try {
        const again = (empty as typeof store).document('control')
        const version = await again.write('new', '0')
        expect(await again.read(old)).toEqual({ version, text: 'new' })
        expect(await again.write('by one who has seen the old text', old)).toBe(undefined)
        expect(await again.read()).toEqual({ version, text: 'new' })
      } finally {
        await factory.end?.(empty)
      }
    })
  })
}
