const PLAIN = new Set(['URLSearchParams', 'FormData', 'Blob', 'File', 'ArrayBuffer', 'SharedArrayBuffer'])

/** True if a body can be sent a second time, because it is held in memory. A stream cannot. */
export function canResend(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true
  // The package `form-data` calls its streams FormData.
  const { pipe, getReader } = body as { pipe?: unknown; getReader?: unknown }
  if (typeof pipe === 'function' || typeof getReader === 'function') return false
  return ArrayBuffer.isView(body) || PLAIN.has(Object.prototype.toString.call(body).slice(8, -1))
}

/** An answer that is sent again is read up to so many bytes, so that its connection can be used again. */
export const MOST_DISCARDED = 65_536

/** Reads away the body of an answer. Returns a function that gives up on the rest. */
export function discard(response: Response): () => void {
  if (response.body === null || response.body === undefined || response.bodyUsed) return () => {}
  const reader = response.body.getReader()
  // A body that was cut off must not make the call fail.
  const stop = (): void => void reader.cancel().catch(() => {})
  void readAway(reader).then(stop, stop)
  return stop
}

async function readAway(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (let bytes = 0; bytes < MOST_DISCARDED;) {
    const { done, value } = await reader.read()
    if (done) return
    bytes += value.byteLength
  }
}
