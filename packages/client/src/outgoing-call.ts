/** What `key` and `cost` see of an outgoing call. */
export interface OutgoingCall {
  /** The whole address. */
  readonly url: string
  /** In upper case. */
  readonly method: string
  readonly headers: Headers
}
