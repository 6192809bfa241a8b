import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { createGunzip, type Gunzip } from 'node:zlib'

const CHUNK = 1 << 18
/** The longest line that is kept, in bytes. A longer one is cut. */
const LONGEST = 1 << 20
const NEWLINE = 10

/** A part of a log: whole lines, separated by `\n`. */
interface LogText {
  readonly text: string
  /** The bytes of the file that were read so far, compressed as they are. */
  readonly bytes: number
}

/** A log that is read. */
export interface LogSource {
  /** Streams the text in whole lines, in bounded memory. Unpacks gzip. */
  texts(): AsyncGenerator<LogText>
  /** Whether the compressed data are cut or damaged, so that the rest is lost. Known at the end. */
  readonly isCutShort: boolean
}

/** Opens a log file, or a stream that can be read once. */
export function openLog(from: string | Readable): LogSource {
  const source = { isCutShort: false, texts }
  return source

  async function* texts(): AsyncGenerator<LogText> {
    const raw = typeof from === 'string' ? createReadStream(from, { highWaterMark: CHUNK }) : from
    let bytes = 0
    let carry: Buffer = EMPTY
    for await (const chunk of unpacked(
      raw,
      length => (bytes += length),
      () => (source.isCutShort = true),
    )) {
      const end = chunk.lastIndexOf(NEWLINE)
      if (end < 0) {
        // The rest of an endless line is dropped. Its first part stays, so that the line is counted as unreadable.
        if (carry.length < LONGEST) carry = Buffer.concat([carry, chunk])
        continue
      }
      // Joined as bytes, because a character may be cut between two chunks.
      const text = Buffer.concat([carry, chunk.subarray(0, end)]).toString()
      carry = Buffer.from(chunk.subarray(end + 1))
      yield { text, bytes }
    }
    if (carry.length > 0) yield { text: carry.toString(), bytes }
  }
}

const EMPTY = Buffer.alloc(0)

/** Unpacks a stream if it begins as gzip does. A stream that ends in the middle gives all that it has. */
async function* unpacked(
  raw: Readable,
  onRead: (length: number) => void,
  onCut: () => void,
): AsyncGenerator<Buffer> {
  const chunks = counted(raw, onRead)
  const first = await chunks.next()
  if (first.done === true) return
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield first.value
    yield* chunks
    return
  }
  const gunzip = createGunzip({ chunkSize: CHUNK })
  const feeding = feed(gunzip, first.value, chunks)
  try {
    for await (const chunk of gunzip) yield chunk as Buffer
  } catch (error) {
    if (!String((error as { code?: unknown }).code).startsWith('Z_')) throw error
    onCut()
  }
  await feeding
}

async function feed(gunzip: Gunzip, first: Buffer, rest: AsyncGenerator<Buffer>): Promise<void> {
  const write = (chunk: Buffer): Promise<void> =>
    new Promise(resolve => {
      gunzip.once('close', resolve)
      gunzip.write(chunk, () => {
        gunzip.off('close', resolve)
        resolve()
      })
    })
  try {
    await write(first)
    for await (const chunk of rest) if (!gunzip.destroyed) await write(chunk)
    // The end of a stream that was cut is an error, which would drop the text that nobody has read yet.
    while (gunzip.readableLength > 0 && !gunzip.destroyed) await setImmediate()
    if (!gunzip.destroyed) gunzip.end()
  } catch (error) {
    gunzip.destroy(error as Error)
  }
}

async function* counted(raw: Readable, onRead: (length: number) => void): AsyncGenerator<Buffer> {
  for await (const part of raw) {
    const chunk = typeof part === 'string' ? Buffer.from(part) : (part as Buffer)
    onRead(chunk.length)
    if (chunk.length > 0) yield chunk
  }
}
