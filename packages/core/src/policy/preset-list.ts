import * as all from './presets.ts'

/** Every preset by its name, and `getPlanPolicy`. The object is frozen. */
export const presets: Readonly<typeof all> = Object.freeze({ ...all })
