/** One finding of `halt doctor`. */
export interface Finding {
  readonly level: 'ok' | 'problem' | 'info'
  /** A code of a warning, if it has a page. */
  readonly code?: string | undefined
  readonly message: string
  /** The step that mends it, in one sentence. */
  readonly fix?: string | undefined
}
