import type { FleetFacts } from './facts.ts';
import type { Image } from './fleet/model.ts';
import { familiarReference } from './reference.ts';
import { type UpstreamSource, upstreamName } from './upstream.ts';

/** Versions beyond what an image tracks, each in one clause: they never come by themselves. */
export function newerNotes({ inputs }: Image, { upstreams }: Pick<FleetFacts, 'upstreams'>): readonly string[] {
  return inputs.flatMap(({ source }) => {
    if ('golden' in source || source.track === undefined) return [];
    const upstream = upstreams.get(upstreamName(source));
    const newer = upstream?.state === 'known' ? upstream.value.newer : undefined;
    return newer === undefined ? [] : [newerNote(source, newer)];
  });
}

/** `node 24.1.0-slim is out, track says 22.x` */
export function newerNote({ upstream, track }: UpstreamSource, newer: string): string {
  const says = track === undefined ? 'nothing' : 'range' in track ? track.range : track.pattern;
  return `${familiarReference(upstream)} ${newer} is out, track says ${says}`;
}
