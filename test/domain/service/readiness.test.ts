import { expect, test } from 'vitest';
import { buildReadiness } from '../../../src/domain/service/readiness.ts';
import { lowDisk, worker } from '../../support/workers.ts';

test('one worker that builds the platform and has room is enough', () => {
  expect(buildReadiness('linux/amd64', [worker('a', { lowDisk }), worker('b')])).toEqual({ ready: true });
});

test('without one it says what to start', () => {
  const answer = buildReadiness('linux/arm64', [worker('a'), worker('b', { roles: ['release'] })]);

  expect(answer).toMatchObject({ ready: false, why: 'no worker builds linux/arm64' });
});

test('where all have too little disk, it says whose', () => {
  const answer = buildReadiness('linux/amd64', [worker('b', { lowDisk }), worker('a', { lowDisk })]);

  expect(answer).toMatchObject({ ready: false, why: 'every worker for linux/amd64 has too little disk: a, b' });
});
