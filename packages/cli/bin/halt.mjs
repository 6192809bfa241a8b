#!/usr/bin/env node
import { writeSync } from 'node:fs'
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
let isDone = false
// Node ends in silence if nothing is left to do, and this module still waits.
process.on('exit', code => {
  if (isDone || (code !== 0 && code !== 13)) return
  writeSync(2, `halt: ${uncaughtText(new Error('it waits for something that never comes'), args)}\n`)
  process.exitCode = 3
})
const code = await run(args, { stdin, stdout, stderr, env, cwd: process.cwd(), require })
isDone = true
// A policy module may have opened connections, which would keep the process alive. All output is written before the exit.
stdout.write('', () => stderr.write('', () => process.exit(code)))
