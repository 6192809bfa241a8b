/** One step that is measured. Returns whether the request was admitted. */
export type Step = () => boolean | Promise<{ readonly allowed: boolean }>

/** A limiter at one size of a growth line. */
export interface Opened {
  readonly step: Step
  /** Brings the limiter to the state that is measured. */
  readonly fill?: () => unknown
  /** Throws if the limiter was not in that state. */
  readonly verify?: () => void
}
