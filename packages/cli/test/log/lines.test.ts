import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openLog } from '../../src/log/lines.ts'

async function linesOf(chunks: readonly Buffer[]): Promise<{ lines: string[]; isCutShort: boolean }> {
  const log = openLog(Readable.from(chunks))
  let text = ''
  for await (const part of log.texts()) text += part.text.endsWith('\n') ? part.text : `${part.text}\n`
  return { lines: text.split('\n').slice(0, -1), isCutShort: log.isCutShort }
}

const wanted = Array.from({ length: 5000 }, (_, i) => `line ${i} ü€😀`)
const whole = Buffer.from(wanted.join('\n'))

function pieces(buffer: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(buffer.length / size) }, (_, i) =>
    buffer.subarray(i * size, (i + 1) * size),
  )
}

describe('openLog', () => {
  it.each([7, 4096, 1 << 20])(
    'openLog gives the same lines in chunks of %i bytes, which cut characters',
    async size => {
      expect(await linesOf(pieces(whole, size))).toEqual({ lines: wanted, isCutShort: false })
    },
  )

  it('openLog unpacks gzip, and files of gzip that were joined', async () => {
    const half = whole.indexOf('\nline 2500')
    const packed = Buffer.concat([gzipSync(whole.subarray(0, half + 1)), gzipSync(whole.subarray(half + 1))])
    expect(await linesOf(pieces(packed, 1000))).toEqual({ lines: wanted, isCutShort: false })
  })

  it('openLog gives all lines before the end of gzip that was cut, and tells that it was cut', async () => {
    // Noise, so that the packed text is long.
    const noise = Array.from({ length: 20_000 }, (_, i) => `${i} ${Math.imul(i, 2654435761).toString(36)}`)
    const packed = gzipSync(noise.join('\n'))
    const { lines, isCutShort } = await linesOf(pieces(packed.subarray(0, packed.length / 2), 10_000))
    expect(isCutShort).toBe(true)
    expect(lines.length).toBeGreaterThan(5000)
    expect(lines.slice(0, -1)).toEqual(noise.slice(0, lines.length - 1))
  })

  it('openLog keeps at most a megabyte and a chunk of a line without an end', async () => {
    const chunk = Buffer.alloc(1 << 18, 'x')
    const { lines } = await linesOf([...Array.from({ length: 40 }, () => chunk), Buffer.from('\nnext')])
    expect(lines.length).toBe(2)
    expect(lines[0]!.length).toBeLessThanOrEqual((1 << 20) + (1 << 18))
    expect(lines[1]).toBe('next')
  })
})
