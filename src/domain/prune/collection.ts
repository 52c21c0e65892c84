/** How the garbage of the embedded registry was collected, or when it will be. */
export type Collection = 'done' | 'when nothing runs' | 'when it starts next';
