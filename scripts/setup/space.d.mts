export interface Missing {
  readonly npm: boolean;
  readonly apt: readonly string[];
  readonly go: readonly unknown[];
}

export function spaceProblem(
  missing: Missing,
  free?: (folder: string) => number,
): (Error & { readonly remedy: string }) | undefined;
