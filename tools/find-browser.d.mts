/** The path of a Chromium or Chrome: `CHROMIUM_PATH`, else what is on PATH, or undefined. */
export declare function findBrowser(): string | undefined
