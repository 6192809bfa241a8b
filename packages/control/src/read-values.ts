// What a document holds is checked before it is used, because other processes, perhaps of another version, wrote it.

/** Whether a value that was read is an object with fields. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value that was read is a text that is not empty. @param most the most characters */
export function isText(value: unknown, most: number = Number.POSITIVE_INFINITY): value is string {
  return typeof value === 'string' && value !== '' && value.length <= most
}
