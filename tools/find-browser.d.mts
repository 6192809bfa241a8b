/** The path of a Chromium or Chrome: `CHROMIUM_PATH`, else the one on PATH or in /Applications, else undefined. */
export declare function findBrowser(): string | undefined
