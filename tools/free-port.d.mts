/** Finds a free port of 127.0.0.1. Another process may take it before the caller does. */
export function freePort(): Promise<number>
