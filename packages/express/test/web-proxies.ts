import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { findServer, type WebProxyName } from '../../../tools/find-server.mjs'
import { freePort } from '../../../tools/free-port.mjs'

export type { WebProxyName } from '../../../tools/find-server.mjs'

/** The block of docs/proxies.md that configures a reverse proxy, which listens on 8080 and asks an app on 3000. */
export async function documented(name: WebProxyName): Promise<string> {
  const page = await readFile(new URL('../../../docs/proxies.md', import.meta.url), 'utf8')
  const block = new RegExp(`\`\`\`${LANGUAGES[name]}\n([^]*?)\`\`\``).exec(page)?.[1]
  if (block === undefined) throw new Error(`docs/proxies.md has no block for ${name}.`)
  return block
}

const LANGUAGES = { nginx: 'nginx', haproxy: 'haproxy', caddy: 'caddyfile' } as const

/** Configuration added to the block: the program listens on 127.0.0.1, in the foreground, in a folder of its own. */
const PROGRAMS: Record<WebProxyName, { wrap(block: string): string; args(file: string): string[] }> = {
  nginx: {
    wrap: block => `
      daemon off; master_process off; pid nginx.pid; events {}
      http {
        access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        ${block.replace('listen ', 'listen 127.0.0.1:')}
      }`,
    args: file => ['-p', join(file, '..'), '-e', 'stderr', '-c', file],
  },
  haproxy: {
    wrap: block => block.replace('bind :', 'bind 127.0.0.1:'),
    args: file => ['-db', '-f', file],
  },
  caddy: {
    wrap: block => `{\n  admin off\n  default_bind 127.0.0.1\n}\n${block}`,
    args: file => ['run', '--adapter', 'caddyfile', '--config', file],
  },
}

/** A reverse proxy that runs on 127.0.0.1. */
export interface WebProxy {
  readonly port: number
  /** What it has printed, mostly of errors. */
  printed(): string
  stop(): Promise<void>
}

/** Starts the real program on a free port in front of an app, and waits until it accepts connections. */
export async function startWebProxy(name: WebProxyName, block: string, appPort: number): Promise<WebProxy> {
  const path = findServer(name)
  if (path === undefined)
    throw new Error(
      `These tests need ${name}: run \`npm run setup\`, or install it with your package manager.`,
    )
  const { wrap, args } = PROGRAMS[name]
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), `halt-${name}-`))
  const file = join(folder, 'config')
  await writeFile(file, wrap(block).replace('8080', `${port}`).replace('3000', `${appPort}`))
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const child = spawn(path, args(file), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', chunk => void (printed = (printed + String(chunk)).slice(-50_000)))
  const exited = once(child, 'exit').catch(() => {})
  const killNow = (): void => void child.kill('SIGKILL')
  process.once('exit', killNow)
  const stop = async (): Promise<void> => {
    killNow()
    await exited
    process.off('exit', killNow)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await ready(child, port, () => printed)
  } catch (error) {
    await stop()
    throw error
  }
  return { port, printed: () => printed, stop }
}

async function ready(child: ChildProcess, port: number, printed: () => string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (child.exitCode !== null)
      throw new Error(`${child.spawnfile} ended before it was ready:\n${printed()}`)
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      sleep(1000, false),
    ])
    socket.destroy()
    if (isOpen) return
    await sleep(20)
  }
  throw new Error(`${child.spawnfile} takes no connections:\n${printed()}`)
}

/** Sends one request as it is written, from a given address. Resolves to the whole answer. */
export async function send(port: number, from: string, head: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  socket.setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')))
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket.setEncoding('latin1')) answer += String(chunk)
  return answer
}
