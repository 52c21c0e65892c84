import type { z } from 'zod';
import { MaybeBecause } from '../api/schemas/common.ts';
import { PauseBody, QuarantineBody, RollbackBody, UnquarantineBody } from '../api/schemas/images.ts';
import { RebuildBody } from '../api/schemas/runs.ts';
import type { AccessRole } from '../domain/access/principal.ts';
import type { FactoryService } from '../service/service.ts';
import { imagePath } from './parts/format.ts';

/** Something that a person can do from a page: what the API does, by the same rules. */
export interface Action {
  /** In the address. */
  readonly name: string;
  readonly subject: 'image' | 'run' | 'fleet';
  readonly role: AccessRole;
  readonly title: string;
  /** What comes of it, for whoever is about to do it. */
  readonly told: string;
  readonly button: string;
  /** It is asked for on a page of its own, in red. */
  readonly danger: boolean;
  readonly fields: readonly Field[];
  run(on: string, fields: Readonly<Record<string, string>>, by: string, service: FactoryService): Promise<Done>;
}

export interface Field {
  readonly name: 'reason' | 'to' | 'what' | 'until' | 'priority';
  readonly label: string;
  readonly hint?: string;
  readonly required: boolean;
  /** What may be chosen; `releases`: versions that are there. */
  readonly choices?: 'releases' | 'priorities';
}

export interface Done {
  readonly told: string;
  /** Where the person is led. */
  readonly to: string;
}

const REASON: Field = {
  name: 'reason',
  label: 'Reason',
  hint: 'It is said wherever it matters, and kept.',
  required: true,
};
const UNTIL: Field = {
  name: 'until',
  label: 'Until (optional)',
  hint: '4h, 2d, or a moment such as 2026-12-24T18:00Z',
  required: false,
};
const WHAT: Field = { name: 'what', label: 'Release', required: true, choices: 'releases' };
const MAYBE_REASON: Field = { name: 'reason', label: 'Reason (optional)', required: false };

/** What fields of a form say, as the API would take it. @throws ZodError */
function read<T extends z.ZodType>(schema: T, fields: Readonly<Record<string, unknown>>): z.infer<T> {
  return schema.parse(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')));
}

const IMAGE: readonly Action[] = [
  {
    ...{ name: 'rebuild', subject: 'image', role: 'operator', danger: false },
    ...{
      title: 'Rebuild',
      button: 'Rebuild',
      fields: [{ name: 'priority', label: 'Priority', required: false, choices: 'priorities' }, MAYBE_REASON],
    },
    told: 'A run begins as soon as a worker is free. When its content is the same as that of the release in use, nothing is published.',
    async run(image, fields, by, service) {
      const { runs } = await service.startRebuild({ ...read(RebuildBody, { ...fields, images: [image] }), by });
      return { told: `A rebuild of ${image} was asked for.`, to: `/runs/${runs[0]!.id}` };
    },
  },
  {
    ...{ name: 'pause', subject: 'image', role: 'operator', danger: false },
    ...{ title: 'Pause', button: 'Pause' },
    told: 'It is not rebuilt until it is resumed. What is in use stays in use.',
    fields: [REASON, UNTIL],
    async run(image, fields, by, service) {
      await service.pause(image, { ...read(PauseBody, fields), by });
      return { told: `${image} is paused.`, to: imagePath(image) };
    },
  },
  {
    ...{ name: 'resume', subject: 'image', role: 'operator', danger: false },
    ...{
      title: 'Resume',
      button: 'Resume',
      told: 'It is rebuilt again when something in it changes.',
      fields: [MAYBE_REASON],
    },
    async run(image, fields, by, service) {
      const was = await service.resume(image, { ...read(MaybeBecause, fields), by });
      return { told: was ? `${image} is resumed.` : `${image} was not paused.`, to: imagePath(image) };
    },
  },
  {
    ...{ name: 'rollback', subject: 'image', role: 'admin', danger: true },
    ...{ title: 'Roll back', button: 'Roll back' },
    told: 'All channels go back to the release that you choose. What they leave is quarantined, and pull requests move pins back.',
    fields: [
      {
        name: 'to',
        label: 'To',
        hint: 'Nothing chosen: the newest before that is not quarantined.',
        required: false,
        choices: 'releases',
      },
      REASON,
    ],
    async run(image, fields, by, service) {
      const { version, already } = await service.rollback(image, { ...read(RollbackBody, fields), by });
      return {
        told: already ? `${image} was at ${version} already.` : `${image} is back at ${version}.`,
        to: imagePath(image),
      };
    },
  },
  {
    ...{ name: 'quarantine', subject: 'image', role: 'admin', danger: true },
    ...{ title: 'Quarantine', button: 'Quarantine' },
    told: 'The release, its inputs and its content are never released again, until it is let in. No channel moves: use “Roll back” when it is in use.',
    fields: [WHAT, REASON],
    async run(image, fields, by, service) {
      const { what, reason } = read(QuarantineBody, fields);
      const { changed } = await service.quarantine(image, what, { reason, by });
      return {
        told: changed ? `${image} ${what} is quarantined.` : `${image} ${what} was quarantined already.`,
        to: imagePath(image),
      };
    },
  },
  {
    ...{ name: 'unquarantine', subject: 'image', role: 'admin', danger: true },
    ...{ title: 'Lift quarantine', button: 'Let it in again' },
    told: 'The release may be promoted again, and its inputs may be built again.',
    fields: [WHAT, MAYBE_REASON],
    async run(image, fields, by, service) {
      const { what, reason } = read(UnquarantineBody, fields);
      const { changed } = await service.unquarantine(image, what, { reason, by });
      return {
        told: changed ? `${image} ${what} is let in again.` : `${image} ${what} was not quarantined.`,
        to: imagePath(image),
      };
    },
  },
];

const RUN: readonly Action[] = [
  {
    ...{ name: 'cancel', subject: 'run', role: 'operator', danger: true },
    ...{ title: 'Cancel', button: 'Cancel the run', fields: [MAYBE_REASON] },
    told: 'It ends within seconds, wherever it is. The same inputs are not tried again by themselves.',
    async run(id, fields, by, service) {
      const { image } = await service.cancelRun(id, { ...read(MaybeBecause, fields), by });
      return { told: `The run of ${image} is cancelled.`, to: `/runs/${id}` };
    },
  },
  {
    ...{ name: 'retry', subject: 'run', role: 'operator', danger: false },
    ...{ title: 'Run again', button: 'Run again', told: 'A new run of the same image.', fields: [MAYBE_REASON] },
    async run(id, fields, by, service) {
      const run = await service.retryRun(id, { ...read(MaybeBecause, fields), by });
      return { told: `A new run of ${run.image} was asked for.`, to: `/runs/${run.id}` };
    },
  },
];

const FLEET: readonly Action[] = [
  {
    ...{ name: 'look', subject: 'fleet', role: 'operator', danger: false },
    ...{
      title: 'Look now',
      button: 'Look now',
      told: 'All upstreams and archives are asked, and a plan is made.',
      fields: [MAYBE_REASON],
    },
    async run(_, fields, by, service) {
      await service.look({ ...read(MaybeBecause, fields), by });
      return { told: 'Everything is being looked at.', to: '/' };
    },
  },
  {
    ...{ name: 'pause', subject: 'fleet', role: 'admin', danger: true },
    ...{
      title: 'Pause the whole fleet',
      button: 'Pause the whole fleet',
      told: 'No image is rebuilt until the fleet is resumed. What is in use stays in use.',
    },
    fields: [REASON, UNTIL],
    async run(_, fields, by, service) {
      await service.pause(undefined, { ...read(PauseBody, fields), by });
      return { told: 'The whole fleet is paused.', to: '/' };
    },
  },
  {
    ...{ name: 'resume', subject: 'fleet', role: 'admin', danger: false },
    ...{
      title: 'Resume the fleet',
      button: 'Resume',
      told: 'Images are rebuilt again when something in them changes.',
      fields: [MAYBE_REASON],
    },
    async run(_, fields, by, service) {
      const was = await service.resume(undefined, { ...read(MaybeBecause, fields), by });
      return { told: was ? 'The fleet is resumed.' : 'The fleet was not paused.', to: '/' };
    },
  },
];

export const ACTIONS: readonly Action[] = [...IMAGE, ...RUN, ...FLEET];
