/** The address of this module, from which the files of this package and of its dependencies are found. */
export declare const place: string
