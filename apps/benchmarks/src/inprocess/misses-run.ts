import { type App, makeServer } from '../contestants/apps/index.ts'
import { Client } from './client.ts'

// Run with --log-ic, which logs each property access that V8's inline caches could not answer. This script logs a mark
// before each round that counts, and after the last.

interface Marked {
  readonly haltMark: number
}

function read(object: Marked): number {
  return object.haltMark
}

/** Makes V8 log a miss of the property `haltMark`. A new prototype has a hidden class that no cache knows. */
function mark(): void {
  if (read(Object.create({ haltMark: 1 }) as Marked) !== 1) throw new Error('The mark is not readable.')
}

const [, , app = '', warm = '', rounds = ''] = process.argv
const client = new Client(await makeServer(JSON.parse(app) as App), undefined)
// V8 logs no miss of a function that it has called only a few times.
for (let i = 0; i < 1000; i++) mark()
for (let i = 0; i < Number(warm); i++) await client.round()
for (let i = 0; i < Number(rounds); i++) {
  mark()
  await client.round()
}
mark()
console.log('{}')
// Timers of the limiters would keep the process alive.
process.exit(0)
