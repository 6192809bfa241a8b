// Checks of the values in a document. Another process wrote them, perhaps one of another version of Halt.

/** Whether a value that was read is an object with fields. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value that was read is a text that is not empty. @param most the most characters */
export function isText(value: unknown, most: number = Number.POSITIVE_INFINITY): value is string {
  return typeof value === 'string' && value !== '' && value.length <= most
}
