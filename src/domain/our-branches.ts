/**
 * Where the pull request of an image is: `ingot/image/debian` into the default branch,
 * `ingot/on/release-1/image/debian` into another one that is maintained beside it.
 * @param defaultBranch `undefined` when it is not known: then all are taken for it
 */
export function branchOf(image: string, { base, defaultBranch }: { base: string; defaultBranch: string | undefined }) {
  const isOther = defaultBranch !== undefined && base !== defaultBranch;
  return isOther ? `ingot/on/${base}/image/${image}` : `ingot/image/${image}`;
}
