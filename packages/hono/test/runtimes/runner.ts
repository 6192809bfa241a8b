import { deepEqual, equal, match, ok, partialDeepStrictEqual } from 'node:assert/strict'
