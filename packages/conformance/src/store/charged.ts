import type { Evaluation, Group } from '@halt/core/store'

/** A charge that a later step of a history may settle, or whose place it may leave. */
export interface Charged {
  readonly group: Group
  readonly evaluation: Evaluation
}
