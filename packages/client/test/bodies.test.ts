import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'

import { canResend, discard, MOST_DISCARDED } from '../src/bodies.ts'

describe('a body', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'a'],
    ['bytes', new Uint8Array(1)],
    ['a view', new DataView(new ArrayBuffer(1))],
    ['a buffer', new ArrayBuffer(1)],
    ['a form', new FormData()],
    ['fields', new URLSearchParams()],
    ['a Blob', new Blob([])],
  ])('a body can be sent twice if it is %s', (_name, body) => {
    expect(canResend(body)).toBe(true)
  })

  it.each([
    ['a stream of the web', new Blob([]).stream()],
    ['a stream of Node', Readable.from([])],
    ['a generator', (async function* () {})()],
    [
      'a stream that calls itself FormData, as the package form-data does',
      Object.assign(Readable.from([]), { [Symbol.toStringTag]: 'FormData' }),
    ],
  ])('a body cannot be sent twice if it is %s', (_name, body) => {
    expect(canResend(body)).toBe(false)
  })
})

describe('an answer whose call is sent again', () => {
  it('an answer whose call is sent again is read up to 64 KiB, and cancelled after that', async () => {
    const piece = 16_384
    let pieces = 0
    const cancelled = new Promise<void>((resolve, reject) => {
      const body = new ReadableStream<Uint8Array>(
        {
          pull(stream) {
            if (++pieces > 100) return reject(new Error('All was read.'))
            stream.enqueue(new Uint8Array(piece))
          },
          cancel: () => resolve(),
        },
        { highWaterMark: 0 },
      )
      discard(new Response(body))
    })
    await cancelled
    expect(pieces * piece).toBe(MOST_DISCARDED)
  })

  it('an answer whose call is sent again is left alone if somebody reads it, or it has no body', async () => {
    const answer = new Response('text')
    const text = answer.text()
    discard(answer)()
    expect(await text).toBe('text')
    discard(new Response(null))()
  })
})
