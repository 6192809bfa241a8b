/** Writes `dist/main.js`, the command, and beside it the processes that it starts. */
export function bundle(): Promise<void>
