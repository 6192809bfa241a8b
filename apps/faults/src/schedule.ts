import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { SOLITARY } from './bundle-paths.ts'
import type { Scene } from './fault.ts'
import { type ClientName, CLIENTS, type Place, type ServerName } from './place.ts'
import type { Form } from './form.ts'
import { BOUNDS, type Row } from './row.ts'

/** The runs that a user chose; an empty list means all. */
export interface Choice {
  readonly faults: readonly string[]
  readonly clients: readonly ClientName[]
  readonly servers: readonly ServerName[]
}

/** A scene, and the place where it runs. */
export interface Run {
  readonly scene: Scene
  readonly place: Place
}

const SERVERS = Object.keys(CLIENTS) as readonly ServerName[]

/** The runs of a form. The short form leaves out those for which {@link isSpared} is true. */
export function schedule(scenes: readonly Scene[], form: Form, choice: Choice): Run[] {
  const runs: Run[] = []
  for (const [n, scene] of scenes.entries()) {
    if (!isWanted(scene.name, choice.faults)) continue
    if (scene.on.length === 0 && choice.servers.length === 0)
      runs.push({ scene, place: { server: 'redis', client: 'ioredis' } })
    for (const server of scene.on) {
      for (const [i, client] of CLIENTS[server].entries()) {
        if (choice.clients.length > 0 && !choice.clients.includes(client)) continue
        if (choice.servers.length > 0 && !choice.servers.includes(server)) continue
        if (!form.everywhere && choice.servers.length === 0 && isSpared(scene, n, server, i)) continue
        runs.push({ scene, place: { server, client } })
      }
    }
  }
  return runs
}

/** Plays the runs: several at the same time, then the heavy ones one by one. Yields the row of each. */
export function play(runs: readonly Run[], form: Form): Promise<Row>[] {
  // The longest runs start first.
  const light = queue(runs.filter(({ scene }) => !scene.heavy).toSorted((a, b) => rank(b) - rank(a)))
  const heavy = queue(runs.filter(({ scene }) => scene.heavy))
  void light.work(form, form.together).then(() => heavy.work(form, 1))
  return runs.map(run => (light.rows.get(run) ?? heavy.rows.get(run)) as Promise<Row>)
}

function rank({ scene }: Run): number {
  return scene.alone ? 1 : 0
}

interface Queue {
  readonly rows: ReadonlyMap<Run, Promise<Row>>
  /** Plays the waiting runs, several at the same time. */
  work(form: Form, together: number): Promise<unknown>
}

function queue(runs: readonly Run[]): Queue {
  const settle = new Map<Run, (row: Row) => void>()
  const rows = new Map(runs.map(run => [run, new Promise<Row>(resolve => settle.set(run, resolve))]))
  const waiting = [...runs]
  const worker = async (form: Form): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      settle.get(run)?.(await judge(() => start(run, form), form.tries))
    }
  }
  return { rows, work: (form, together) => Promise.all(Array.from({ length: together }, () => worker(form))) }
}

/** Plays a scene again, up to a number of tries, while it missed a bound on a starved machine: such a run proves nothing. */
export async function judge(play: () => Promise<Row>, tries: number): Promise<Row> {
  const row = await play()
  const isProof = row.missed.length === 0 || (row.machine ?? 0) <= BOUNDS.starved
  return isProof || tries <= 1 ? row : await judge(play, tries - 1)
}

async function start({ scene, place }: Run, form: Form): Promise<Row> {
  try {
    return await (scene.alone ? playAlone(scene, place, form) : scene.run(place, form))
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { fault: scene.name, place, missed: [`broke off: ${why}`] }
  }
}

async function playAlone(scene: Scene, { server, client }: Place, form: Form): Promise<Row> {
  const args = [SOLITARY, scene.name, server, client, form.name]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Row
}

// Redis and Valkey take turns, and the clients do, so that each server runs with both. Scenes that start processes run on fewer
// servers.
function isSpared(
  { on, alone = false, heavy = false, isLongOnly = false }: Scene,
  n: number,
  server: ServerName,
  client: number,
): boolean {
  if (isLongOnly) return true
  if (heavy ? server !== 'redis' : alone && server === 'cluster') return true
  const [spared, played] = n % 2 === 0 ? (['redis', 'valkey'] as const) : (['valkey', 'redis'] as const)
  if (!heavy && server === spared && on.includes(played)) return true
  return client !== (Math.floor(n / 2) + SERVERS.indexOf(server)) % CLIENTS[server].length
}

function isWanted(name: string, wanted: readonly string[]): boolean {
  return wanted.length === 0 || wanted.some(word => name.toLowerCase().includes(word.toLowerCase()))
}
