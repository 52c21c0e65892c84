export interface VersionRange {
  readonly min: string;
  readonly below?: string;
}

export interface Part {
  readonly name: string;
  readonly purpose: string;
  readonly groups: readonly string[];
  readonly from: 'apt' | 'go';
  /** Distribution package. */
  readonly apt?: string;
  /** Proof that the package is there, where it is not a program of the part's name. */
  readonly file?: string;
  /** Folder of the Go module, and the main package in it. */
  readonly module?: string;
  readonly package?: string;
  readonly own?: boolean;
  readonly versions?: VersionRange & { readonly args: readonly string[]; readonly pattern: RegExp };
}

export const root: string;
export const toolsDirectory: string;
export const compileCache: string;
export const groups: readonly string[];
export const parts: readonly Part[];
export function findOnPath(name: string, path: string): string | undefined;
export function isExecutable(file: string): boolean;
export function isSupported(version: string | undefined, range: VersionRange | undefined): boolean;
export function describeRange(range: VersionRange | undefined): string;
export function compareVersions(left: string, right: string): number;
export function bundledNode(): string | undefined;
export function pinnedVersion(moduleFolder: string, modulePath: string): string | undefined;
