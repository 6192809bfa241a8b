import type { StoreError } from '@halt/core/store'

import { storeError } from './store-error.ts'

/**
 * The most bytes of an answer that are read. The longest right one holds the document of `Control`: a million characters of up to
 * three bytes, in base64.
 */
const MOST_BYTES = 8 * 2 ** 20

/**
 * Reads the text of an answer. A longer one than any right answer is cut off, and its connection closed: the limiter may have
 * decided long before, so nothing else would end it.
 *
 * @throws StoreError if the answer is too long
 */
export async function answerText(response: Response): Promise<string> {
  const declared = Number(response.headers.get('content-length') ?? 0)
  if (declared > MOST_BYTES) {
    cutOff(response.body)
    throw tooLong()
  }
  const reader = response.body?.getReader()
  if (reader === undefined) return response.text()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > MOST_BYTES) {
      cutOff(reader)
      throw tooLong()
    }
    text += decoder.decode(value, { stream: true })
  }
}

function cutOff(body: Pick<ReadableStream, 'cancel'> | null): void {
  // Nobody waits for the end of the connection, which may never come.
  body?.cancel().catch(() => undefined)
}

function tooLong(): StoreError {
  return storeError(`The REST service answered with more than ${MOST_BYTES / 2 ** 20} MiB`, 'rest-url')
}
