// The app with the operator's pages, as the tests of the evening serve it.
import { Accounts, openStore, Operator } from '@halt/demo-kit'

import { start } from '../src/start.ts'

export const TOKEN = 'nine-in-the-evening'

/** The app on a port of its own. */
export interface Served {
  readonly url: string
  close(): Promise<unknown>
}

/** Serves the app. On a busy machine the store may take longer than a service would wait for it. */
export async function serve(redis: string): Promise<Served> {
  const { store, close } = openStore({ url: redis })
  const operator = new Operator(TOKEN, store)
  const app = await start({ store, storeTimeout: '10s', accounts: new Accounts(), operator }, 0)
  return {
    url: app.url,
    async close() {
      operator.close()
      await app.close()
      await close()
    },
  }
}
