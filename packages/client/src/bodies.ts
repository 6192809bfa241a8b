const PLAIN = new Set(['URLSearchParams', 'FormData', 'Blob', 'File', 'ArrayBuffer', 'SharedArrayBuffer'])

/** True if a body can be sent a second time, because it is held in memory. A stream cannot. */
export function canResend(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true
  // The package `form-data` calls its streams FormData.
  const { pipe, getReader } = body as { pipe?: unknown; getReader?: unknown }
  if (typeof pipe === 'function' || typeof getReader === 'function') return false
  return ArrayBuffer.isView(body) || PLAIN.has(Object.prototype.toString.call(body).slice(8, -1))
}
