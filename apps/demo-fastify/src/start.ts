import type { AddressInfo } from 'node:net'

import { closing, type Start } from '@halt/demo-kit'

import { createApp } from './app.ts'

/** Starts the app on this machine only; port 0 takes a free port. */
export const start: Start = async (options, port) => {
  const app = await createApp(options)
  await app.listen(port === 0 ? { port, host: '127.0.0.1' } : { port })
  return {
    url: `http://localhost:${(app.server.address() as AddressInfo).port}`,
    close: () => closing(app.server, () => app.close()),
  }
}
