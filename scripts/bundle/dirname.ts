/** What `__dirname` means in the bundle, to the vendors' code that looks for files beside it. */
export const dirname = import.meta.dirname;
