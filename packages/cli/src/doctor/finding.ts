/** One finding of `halt doctor`. */
export interface Finding {
  readonly level: 'ok' | 'problem' | 'info'
  /** A code of a warning, if it has a page. */
  readonly code?: string | undefined
  readonly message: string
  /** What to do about it. */
  readonly fix?: string | undefined
}
