#!/usr/bin/env node
import { createRequire } from 'node:module'
import process from 'node:process'
import { run, uncaughtText } from '@halt/cli'

const require = createRequire(import.meta.url)
const { stdin, stdout, stderr, env } = process
// The reader of a pipe may leave early, as `head` does.
stdout.on('error', () => {})
const args = process.argv.slice(2)
process.on('uncaughtException', error => {
  stderr.write(`halt: ${uncaughtText(error, args)}\n`, () => process.exit(3))
})
const code = await run(args, { stdin, stdout, stderr, env, cwd: process.cwd(), require })
// A policy module may have opened connections, which would keep the process alive. All output is written before the exit.
stdout.write('', () => stderr.write('', () => process.exit(code)))
