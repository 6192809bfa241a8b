#!/usr/bin/env node
import process from 'node:process'
import { run } from '@halt/cli'

const { stdin, stdout, stderr, env } = process
const code = await run(process.argv.slice(2), { stdin, stdout, stderr, env, cwd: process.cwd() })
// A policy module may have opened connections, which would keep the process alive. All output is written before the exit.
stdout.write('', () => stderr.write('', () => process.exit(code)))
