/**
 * What all processes that serve the API have to agree on, so that it does not matter which one a browser or a program
 * gets to. Losing it costs people a new login, and gives nobody anything that was taken from them: the key that signs
 * sessions is lost along with the list of those that were ended.
 */
export interface AccessStore {
  /** The key that signs sessions. @param fresh kept when there is none yet */
  sessionKey(fresh: Uint8Array): Promise<Uint8Array>;
  endSession(id: string, ttlMs: number): Promise<void>;
  isSessionEnded(id: string): Promise<boolean>;
  /** @param name not the code itself */
  putCode(name: string, ttlMs: number): Promise<void>;
  /** True for the first who asks while it holds. */
  takeCode(name: string): Promise<boolean>;
  /** Takes one of a bucket that holds `perMinute`, and is refilled evenly. @returns what is left in it, and whether there was one */
  take(bucket: string, name: string, perMinute: number): Promise<{ readonly allowed: boolean; readonly left: number }>;
  close(): Promise<void>;
}
