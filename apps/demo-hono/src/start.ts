import type { Server } from 'node:http'

import { listen, type Start } from '@halt/demo-kit'
import { createAdaptorServer } from '@hono/node-server'

import { createApp } from './app.ts'

/** Starts the app. */
export const start: Start = (options, port) => {
  const { fetch } = createApp(options)
  return listen(createAdaptorServer({ fetch }) as Server, port)
}
