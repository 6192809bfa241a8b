import type { Account } from './account.ts'

/** A call whose stream was given away. */
interface Given {
  readonly account: Account
  /** Stops the model. */
  readonly stop: (reason: unknown) => void
}

/**
 * Ends the calls whose streams were collected before they were over: nobody can read, cancel or settle them any more. What the
 * parts that were read cost stays paid. Undefined where the runtime does not tell; there the units are free after `ttl`.
 */
export const forgotten: FinalizationRegistry<Given> | undefined =
  typeof FinalizationRegistry === 'function'
    ? new FinalizationRegistry<Given>(({ account, stop }) => {
        stop(new Error('Nobody reads the stream.'))
        void account.forget()
      })
    : undefined
