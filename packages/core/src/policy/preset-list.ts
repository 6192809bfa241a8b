import * as all from './presets.ts'

/** Every preset by its name, and `getPlanPolicy`. Frozen. */
export const presets: Readonly<typeof all> = Object.freeze({ ...all })
