import { createServer } from 'node:http'

import { listen, type Start } from '@halt/demo-kit'

import { createApp } from './app.ts'

/** Starts the app. */
export const start: Start = (options, port) => listen(createServer(createApp(options)), port)
