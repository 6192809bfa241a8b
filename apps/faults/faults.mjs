// pnpm faults [--quick] [--client ioredis|node-redis] [--server redis|valkey|cluster] [--write] [fault…]
import { bundle } from './bundle.mjs'

await bundle()
const { main } = await import('./dist/main.js')
process.exit(await main(process.argv.slice(2)))
