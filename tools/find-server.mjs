import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

// Homebrew links only one of the two on PATH: their packages conflict.
const homebrew = ['/opt/homebrew/opt', '/usr/local/opt', '/home/linuxbrew/.linuxbrew/opt']
const suffix = process.platform === 'win32' ? '.exe' : ''

/**
 * The path of a server's program, or undefined.
 * @param {import('./find-server.mjs').ServerName} name
 * @returns {string | undefined}
 */
export function findServer(name) {
  const formula = name.replace('-server', '')
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    // Not on the PATH of everybody: Debian puts nginx and haproxy there.
    '/usr/sbin',
    ...homebrew.map(opt => join(opt, formula, 'bin')),
  ]
  return folders
    .filter(folder => folder !== '')
    .map(folder => join(folder, name + suffix))
    .find(path => existsSync(path))
}
