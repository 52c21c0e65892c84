import { createDataFormat, rule } from './data/data-format.ts';
import { image, imageValue } from './data/images.ts';
import { nestedImages } from './data/nested.ts';
import { anyImage } from './data/split-image.ts';
import { type DataNode, scalarOf } from './data/tree.ts';
import { kustomizeImage, kustomizeText } from './kustomize-image.ts';

/**
 * Kubernetes manifests of any kind, custom resources as well: whatever ends in `image`, volumes of an image, values
 * of charts (HelmRelease, Application), Kustomize's images (Flux, Argo CD), and variables that hold an image.
 */
export const kubernetesFormat = createDataFormat({
  id: 'kubernetes',
  isPath: (path) => /\.ya?ml(?:\.(?:tpl|tmpl|j2))?$|(?:^|\/)(?:k8s|kubernetes|manifests)\/.+\.json$/.test(path),
  isText: (text) => text.includes('apiVersion') && text.includes('kind'),
  isDocument: isManifest,
  rules: [
    rule('**', anyImage),
    rule('**.volumes.*.image.reference', image),
    rule('**.env.*', imageValue),
    rule('**.images.*', kustomizeImage),
    rule('**.kustomize.images.*', kustomizeText),
    rule('**.helm.values', nestedImages),
  ],
});

/** Of kinds that formats of their own read better. */
const OTHERS = /^(?:skaffold|tekton\.dev|kustomize\.config\.k8s\.io)\//;

function isManifest(root: DataNode): boolean {
  const version = scalarOf(root, 'apiVersion')?.text;
  return version !== undefined && scalarOf(root, 'kind') !== undefined && !OTHERS.test(version);
}
