import type { CounterId, Evaluation, Group, VersionedText } from '@halt/core/store'

import type { ErrorKind } from './store-error.ts'

/** What a Worker asks of a Durable Object. It travels as JSON. */
export type Question =
  | {
      readonly ask: 'evaluate'
      readonly group: Group
      /** The instant that decides, in microseconds. Absent: the object's own clock decides. */
      readonly now?: number | undefined
    }
  | { readonly ask: 'forget'; readonly counters: readonly CounterId[] }
  | { readonly ask: 'read'; readonly since?: string | undefined }
  | { readonly ask: 'write'; readonly text: string; readonly since: string }
  | { readonly ask: 'ping' }

/** What a Durable Object answers. */
export interface Answers {
  readonly evaluate: Evaluation
  readonly forget: number
  /** null if the document has the version that the reader knows. */
  readonly read: VersionedText | null
  /** null if somebody else has written. */
  readonly write: string | null
  readonly ping: 'pong'
}

/** The reply of a Durable Object, as JSON: an answer, or an error after which nothing has changed. */
export type Reply =
  | { readonly answer: Answers[keyof Answers] }
  | { readonly error: { readonly kind: ErrorKind; readonly message: string } }
