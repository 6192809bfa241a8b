/** True in `npm test -- --full`: each suite on each store, server, client and runtime. README.md of this folder lists the combinations that the short form leaves out. */
export const isFull: boolean = process.env['HALT_FULL'] === '1'
