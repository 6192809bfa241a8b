// A real Prometheus that scrapes one address, for tests.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../../tools/free-port.mjs'

/** The reason why tests with Prometheus are skipped. */
export const MISSING =
  'NOT RUN: no prometheus and promtool on the PATH (Debian: apt-get install prometheus). The queries were tried on nothing.'

/** Whether Prometheus and its tool are on the PATH. */
export const hasPrometheus: boolean = ['prometheus', 'promtool'].every(name =>
  (process.env['PATH'] ?? '').split(delimiter).some(folder => isExecutable(join(folder, name))),
)

/** A running Prometheus. */
export interface PrometheusServer {
  /** The series that a query returns now. Throws if Prometheus refuses the query. */
  query(expression: string): Promise<readonly { metric: Record<string, string>; value: [number, string] }[]>
  stop(): Promise<void>
}

/** Starts a Prometheus that scrapes `target` (`host:port`, `/metrics`) twice per second, with a rules file. */
export async function startPrometheus(target: string, rules: string): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'halt-prometheus-'))
  const port = await freePort()
  const config = {
    global: { scrape_interval: '500ms', evaluation_interval: '500ms' },
    rule_files: [rules],
    scrape_configs: [{ job_name: 'shop', static_configs: [{ targets: [target] }] }],
  }
  // JSON is YAML.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ]
  const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', chunk => (said += String(chunk)))
  const url = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    await ended(child)
    rmSync(folder, { recursive: true, force: true })
  }
  for (let i = 0; !(await answers(`${url}/-/ready`)); i++) {
    if (child.exitCode !== null || i > 300) {
      await stop()
      throw new Error(`Prometheus did not start: ${said}`)
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return { query: expression => ask(url, expression), stop }
}

/** Runs promtool. Resolves to its output, or rejects with all of it. */
export async function promtool(args: readonly string[], input = ''): Promise<string> {
  try {
    const running = promisify(execFile)('promtool', args)
    running.child.stdin?.end(input)
    const { stdout, stderr } = await running
    return stdout + stderr
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${stdout}${stderr}`, { cause: error })
  }
}

type Series = Awaited<ReturnType<PrometheusServer['query']>>

async function ask(url: string, expression: string): Promise<Series> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`)
  const body = (await answer.json()) as { status: string; error?: string; data: { result: Series } }
  if (body.status !== 'success') throw new Error(`${expression}: ${body.error}`)
  return body.data.result
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
