const COUNT = /^\d{1,15}(?:\.\d+)?$/

/** Reads a count: a number of digits. A fraction is dropped. Anything else, a negative number too, is `undefined`. */
export function readCount(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 && value < 1e15 ? Math.floor(value) : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  return COUNT.test(text) ? Math.floor(Number(text)) : undefined
}
