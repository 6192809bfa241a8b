// Finds the server programs that the tests start.
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

// Homebrew's packages of Redis and Valkey conflict, so it links only one of them on PATH.
const homebrew = ['/opt/homebrew/opt', '/usr/local/opt', '/home/linuxbrew/.linuxbrew/opt']
// Debian puts the programs of each version of PostgreSQL in a folder of its own.
const debianPostgres = '/usr/lib/postgresql'
const suffix = process.platform === 'win32' ? '.exe' : ''

/**
 * The name of a reverse proxy: of Debian's package and of its program.
 * @typedef {'nginx' | 'haproxy' | 'caddy'} WebProxyName
 */

/**
 * The name of a server program.
 * @typedef {'redis-server' | 'valkey-server' | 'postgres' | 'initdb' | 'pg_basebackup' | 'etcd' | 'mariadbd' | 'mariadb-install-db' | 'pgbouncer' | 'prometheus' | WebProxyName} ServerProgram
 */

/**
 * The path of a server's program, or undefined.
 * @param {ServerProgram} name
 * @returns {string | undefined}
 */
export function findServer(name) {
  const formula = name.startsWith('mariadb') ? 'mariadb' : name.replace('-server', '')
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    // Debian puts nginx, haproxy and MariaDB there, which is not on every PATH.
    '/usr/sbin',
    ...homebrew.map(opt => join(opt, formula, 'bin')),
    ...(name === 'postgres' || name === 'initdb' || name === 'pg_basebackup' ? postgresFolders() : []),
  ]
  return folders
    .filter(folder => folder !== '')
    .map(folder => join(folder, name + suffix))
    .find(path => existsSync(path))
}

/** The folders of PostgreSQL's programs outside PATH, the newest version first. */
function postgresFolders() {
  const parents = [debianPostgres, ...homebrew].filter(folder => existsSync(folder))
  return parents.flatMap(parent =>
    readdirSync(parent)
      .filter(name => /^(?:postgresql@)?\d+$/.test(name))
      .toSorted((a, b) => Number(b.replace(/\D/g, '')) - Number(a.replace(/\D/g, '')))
      .map(name => join(parent, name, 'bin')),
  )
}
