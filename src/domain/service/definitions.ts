/** The definitions of a fleet as one value: what a worker needs that shares no disk with anybody. */
export interface Definitions {
  readonly fleet: string;
  /** Where they come from a git repository: its commit, and the last commit that touched each image. */
  readonly commit?: string | undefined;
  readonly revisions: Readonly<Record<string, string>>;
  /** When that was, RFC 3339. */
  readonly times: Readonly<Record<string, string>>;
  /** A tar archive (gzip) a folder, whose paths count from the folder of ingot.yaml. */
  readonly parts: readonly { readonly name: string; readonly archive: Uint8Array }[];
}
