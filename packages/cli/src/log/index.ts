// Runs in browsers too: nothing that is exported here uses Node.
export { detectFormat, FORMATS, type LineReader, type LogFormat, readerOf } from './formats.ts'
export type { JsonField } from './json-fields.ts'
export { type LogFields, LoggedRequest } from './logged-request.ts'
