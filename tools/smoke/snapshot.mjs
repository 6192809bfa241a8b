// Checks that an application can start from a snapshot of V8 in which Halt was loaded: no module keeps a socket, a timer or a handle.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import esbuild from 'esbuild'

import { run } from './run.mjs'

// In a snapshot `require` knows only Node's own modules, so the application is one file.
const APPLICATION = `const { halt } = require('@halt/express')
const { RateLimiter } = require('@halt/core')
const { InMemoryStore } = require('@halt/store-memory')
require('node:v8').startupSnapshot.setDeserializeMainFunction(async () => {
  const limiter = new RateLimiter({ store: new InMemoryStore(), policy: { name: 'api', limit: 1, window: '1m' } })
  const answers = [typeof halt({ limiter })]
  for (let i = 0; i < 2; i++) answers.push((await limiter.consume('203.0.113.7')).allowed)
  console.log(answers.join(' '))
})`

/**
 * Makes a snapshot of an application that has loaded Halt, and starts it.
 * @param {string} node the program @param {string} dir where the packages are installed
 */
export async function checkSnapshot(node, dir) {
  const source = join(dir, 'application.cjs')
  const bundle = join(dir, 'application.bundle.cjs')
  const blob = join(dir, 'application.blob')
  writeFileSync(source, APPLICATION)
  await esbuild.build({
    entryPoints: [source],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    logLevel: 'silent',
  })
  await run(node, ['--snapshot-blob', blob, '--build-snapshot', bundle], dir)
  const answers = (await run(node, ['--snapshot-blob', blob], dir)).trim()
  if (answers !== 'function true false') throw new Error(`An application from a snapshot said "${answers}".`)
}
