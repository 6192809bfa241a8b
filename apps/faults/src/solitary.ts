// A process that plays one scene and prints its row: node dist/solitary.js <scene> <server> <client> <form>
import type { Place } from './place.ts'
import { scenes } from './faults/index.ts'
import { LONG, SHORT } from './form.ts'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const [name, server, client, form] = process.argv.slice(2) as [
  string,
  Place['server'],
  Place['client'],
  string,
]
const scene = scenes.find(candidate => candidate.name === name)
if (scene === undefined) throw new Error(`There is no scene "${name}"`)
console.log(JSON.stringify(await scene.run({ server, client }, form === LONG.name ? LONG : SHORT)))
process.exit(0)
