import { expect, it, vi } from 'vitest'

import type { CommandSender } from '../../src/connection/command-sender.ts'
import { runScript } from '../../src/connection/script-run.ts'
import { script } from './scene.ts'

const text = script('return 1')

type Send = CommandSender['evalsha']

function sender(evalsha: Send) {
  return {
    evalsha: vi.fn<Send>(evalsha),
    eval: vi.fn<Send>(async () => 'by text'),
    command: vi.fn<CommandSender['command']>(),
  }
}

it('runScript runs a script by its digest', async () => {
  const known = sender(async () => 'by digest')
  expect(await runScript(known, text, ['k'], ['a'])).toBe('by digest')
  expect(known.evalsha).toHaveBeenCalledWith(text.sha, ['k'], ['a'])
  expect(known.eval).not.toHaveBeenCalled()
})

it('runScript runs a script by its text, once, if the server does not know it', async () => {
  const unknown = sender(() => Promise.reject(new Error('NOSCRIPT No matching script. Please use EVAL.')))
  expect(await runScript(unknown, text, ['k'], ['a'])).toBe('by text')
  expect(unknown.eval).toHaveBeenCalledExactlyOnceWith(text.source, ['k'], ['a'])
})

it('runScript repeats no other failed call, because it may have been executed', async () => {
  for (const message of [
    'Connection is closed.',
    'READONLY no',
    'Command timed out',
    'ERR unknown NOSCRIPT',
  ]) {
    const failing = sender(() => Promise.reject(new Error(message)))
    await expect(runScript(failing, text, [], [])).rejects.toThrow(message)
    expect(failing.eval).not.toHaveBeenCalled()
  }
})

it('runScript rejects with the error that a client throws at once', async () => {
  const throwing = sender(() => {
    throw new TypeError('no such argument')
  })
  await expect(runScript(throwing, text, [], [])).rejects.toThrow('no such argument')
})
