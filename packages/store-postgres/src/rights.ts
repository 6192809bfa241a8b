import type { HaltWarning } from '@halt/core'

import type { Statements } from './statements.ts'

// Every function and operator has arguments of exactly its types, or a schema, so that no look-alike in another schema runs.
// Asks the server what it would ask itself, so nothing is written. The catalog can be read without a right on the schema.
const MISSING = `WITH needs AS (
    SELECT pg_catalog.format('SCHEMA %I', n.nspname) AS thing, 'USAGE' AS privilege, has_schema_privilege(n.oid, 'USAGE') AS has
    FROM pg_namespace n WHERE n.nspname = $1
  UNION ALL
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), p.name, has_table_privilege(c.oid, p.name)
    FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p(name)
    WHERE n.nspname = $1 AND (c.relname IN ('counters', 'instances') OR c.relname = 'documents' AND p.name <> 'DELETE')
  UNION ALL
    SELECT pg_catalog.format('ALL FUNCTIONS IN SCHEMA %I', n.nspname), 'EXECUTE', has_function_privilege(f.oid, 'EXECUTE')
    FROM pg_namespace n JOIN pg_proc f ON f.pronamespace = n.oid WHERE n.nspname = $1 AND right(f.proname::text, 3) = '_v3'
  )
  SELECT pg_catalog.format('GRANT %s ON %s TO %I', string_agg(DISTINCT privilege, ', '), thing, current_user) AS lacks
  FROM needs WHERE NOT has GROUP BY thing ORDER BY thing COLLATE "C"`

/** Finds the rights that the role of the client lacks. Undefined if it lacks none, or if there is no such schema. */
export async function missingRights(
  statements: Statements,
  schema: string,
): Promise<HaltWarning | undefined> {
  const grants = (await statements.rows(MISSING, [schema])).map(({ lacks }) => lacks)
  if (grants.length === 0) return undefined
  return {
    code: 'HALT_W_PERMISSION',
    message: `The role lacks rights on the schema "${schema}" that checks, documents or the count of processes need.`,
    fix: `Run ${grants.join('; ')}.`,
  }
}

/** The warning of a heartbeat that PostgreSQL refuses. */
export function uncounted(why: string): HaltWarning {
  return {
    code: 'HALT_W_PERMISSION',
    message: `PostgreSQL refuses to count the processes, so each of them takes the whole limit in an outage: ${why}.`,
    fix: 'Call limiter.ready(), which tells the missing grant, or set the number of processes, such as instances: 4.',
  }
}
