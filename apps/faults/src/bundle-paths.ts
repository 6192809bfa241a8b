import { fileURLToPath } from 'node:url'

const pathOf = (name: string): string => fileURLToPath(new URL(`../dist/${name}`, import.meta.url))

/** The bundled process that calls a limiter; see bundle.mjs. */
export const COUNTER: string = pathOf('counter.js')
/** The bundled process that runs one scene. */
export const SOLITARY: string = pathOf('solitary.js')
/** The bundled process of a rolling deploy. */
export const DEPLOYED: string = pathOf('deployed.js')
