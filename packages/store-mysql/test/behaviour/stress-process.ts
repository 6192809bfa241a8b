// One of the processes of concurrency.test.ts: asks for groups of two counters, and prints what it was granted.
import mysql from 'mysql2/promise'

import { MysqlStore } from '../../src/index.ts'
import { DAY, demand, group } from '../groups.ts'

const [uri = '', table = '', keys = '0', asks = '0', inFlight = '0', multiple = ''] = process.argv.slice(2)
const pool = mysql.createPool({ uri, connectionLimit: 4, multipleStatements: multiple === 'multiple' })
const store = new MysqlStore({ pool, table })
const granted: Record<string, number> = {}
let failed = 0
let left = Number(asks)
let step = process.pid

async function ask(): Promise<void> {
  while (left-- > 0) {
    // Another key each time, and pairs of keys in both orders.
    step = (step * 48_271 + 11) % 2_147_483_647
    const first = step % Number(keys)
    const second = (first + 1 + (step % 7)) % Number(keys)
    const subjects = [`client:${first}`, `client:${second}`]
    try {
      const { allowed } = await store.evaluate(group(...subjects.map(subject => demand(subject, DAY))))
      if (allowed) for (const subject of subjects) granted[subject] = (granted[subject] ?? 0) + 1
    } catch (error) {
      failed++
      console.error(String(error))
    }
  }
}

await Promise.all(Array.from({ length: Number(inFlight) }, ask))
console.log(JSON.stringify({ granted, failed }))
await pool.end()
