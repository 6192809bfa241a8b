// Sets up a machine that has only node and npm.
//   node tools/setup.mjs              installs the packages
//   node tools/setup.mjs --servers    also installs the servers and programs that the tests use, with apt
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findBrowser } from './find-browser.mjs'
import { findServer } from './find-server.mjs'
import { pnpm } from './pnpm.mjs'

/** @type {Record<'redis-server' | 'valkey-server' | 'postgres' | 'mariadbd', string>} the variables that name a server elsewhere */
const variables = {
  'redis-server': 'REDIS_URL',
  'valkey-server': 'VALKEY_URL',
  postgres: 'POSTGRES_URL',
  mariadbd: 'MYSQL_URL',
}
/** @type {Record<string, string | string[]>} the packages of Debian, where they have another name than their program */
const packages = {
  postgres: 'postgresql',
  etcd: 'etcd-server',
  // The second has the program with which mariadb-install-db reads its settings.
  mariadbd: ['mariadb-server-core', 'mariadb-client-core'],
}

/** Sets up. If it cannot, it throws an error that says what to do. @param {{ servers?: boolean }} [options] */
export function setup({ servers = false } = {}) {
  checkNode()
  if (servers) installServers()
  if (pnpm(['install', '--frozen-lockfile']) !== 0) throw new Error('pnpm could not install the packages.')
}

/** Throws an error that says what to do if this Node is too old. */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new Error(`Halt needs Node 20.19 or newer; this is ${process.versions.node}.`)
}

function installServers() {
  const names = [...missing(), ...missingPrograms()]
  if (names.length > 0 && existsSync('/usr/bin/apt-get')) installByApt(names)
  const servers = missing()
  if (servers.length > 0) throw new Error(advice(servers))
}

// Tests use a Chromium for the operator's page and a Prometheus for the dashboard's queries. Without them these tests are
// skipped. Other tests use the reverse proxies of docs/proxies.md, PgBouncer and etcd, and fail if one is missing.
function missingPrograms() {
  const programs = /** @type {const} */ (['prometheus', 'nginx', 'haproxy', 'caddy', 'pgbouncer', 'etcd'])
  return [
    ...(findBrowser() === undefined ? ['chromium'] : []),
    ...programs.filter(name => findServer(name) === undefined),
  ]
}

function missing() {
  const names = /** @type {(keyof typeof variables)[]} */ (Object.keys(variables))
  return names.filter(name => !process.env[variables[name]] && !findServer(name))
}

/** @param {string[]} names */
function installByApt(names) {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo']
  /** @param {string[]} args */
  const apt = (...args) => {
    // With SYSTEMD_OFFLINE, systemd does not start the installed services. The tests start their own, on free ports.
    const settings = ['DEBIAN_FRONTEND=noninteractive', 'SYSTEMD_OFFLINE=1']
    const line = [...asRoot, 'env', ...settings, 'apt-get', '-qq', ...args]
    console.log(line.join(' '))
    return spawnSync(line[0] ?? '', line.slice(1), { stdio: 'inherit' }).status === 0
  }
  const install = (/** @type {string[]} */ ...wanted) =>
    apt('install', '-y', '--no-install-recommends', ...wanted)
  const wanted = names.flatMap(name => packages[name] ?? name)
  apt('update')
  // An older system may lack one of them, and then installs none. So they are installed one by one.
  if (!install(...wanted)) for (const name of wanted) install(name)
}

/** @param {(keyof typeof variables)[]} names */
function advice(names) {
  const what = names.flatMap(name => packages[name] ?? name).join(' and ')
  const urls = names.map(name => variables[name]).join(' and ')
  const cluster = names.includes('redis-server')
    ? ', and REDIS_CLUSTER_NODES to host:port,… of a Cluster'
    : ''
  const elsewhere = `set ${urls} to servers that the tests may fill and flush${cluster}`
  if (process.platform === 'darwin') {
    return `The tests need ${what}: run \`brew install redis && brew unlink redis && brew install valkey postgresql@17 mariadb\`, or ${elsewhere}.`
  }
  if (process.platform === 'win32') {
    return `The tests need ${what}: run them inside WSL, or ${elsewhere}.`
  }
  return `The tests need ${what}: install them with your system's package manager, or ${elsewhere}.`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    setup({ servers: process.argv.includes('--servers') })
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}
