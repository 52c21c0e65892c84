/** Returns what undoes it. */
export function blockServices(path?: string): () => void;
