import type { FileContentTest, FileExistenceTest } from '../fleet/model.ts';
import { judgeText } from './pattern.ts';
import { type FileMode, goPermissions, permissions } from './permissions.ts';
import { mismatch } from './words.ts';

/** What is at a path; a symlink is not followed. */
export interface FileFacts extends FileMode {
  readonly uid: number;
  readonly gid: number;
}

/** What is wrong with a file, each in a line; empty: passed. `undefined`: nothing is there. */
export function judgeExistence(test: FileExistenceTest, file: FileFacts | undefined): readonly string[] {
  if (file === undefined) return test.shouldExist ? [mismatch(test.path, 'to exist', 'nothing')] : [];
  if (!test.shouldExist) return [mismatch(test.path, 'nothing', `a ${file.type}`)];
  const { permissions: mode, uid, gid, isExecutableBy } = test;
  const shown = permissions(file);
  return [
    ...(mode === undefined || mode === shown || mode === goPermissions(file)
      ? []
      : [mismatch(`permissions of ${test.path}`, mode, shown)]),
    ...(uid === undefined || uid === file.uid ? [] : [mismatch(`uid of ${test.path}`, String(uid), String(file.uid))]),
    ...(gid === undefined || gid === file.gid ? [] : [mismatch(`gid of ${test.path}`, String(gid), String(file.gid))]),
    ...(isExecutableBy === undefined || (file.mode & EXECUTABLE[isExecutableBy]) !== 0
      ? []
      : [mismatch(test.path, `to be executable by ${isExecutableBy}`, shown)]),
  ];
}

const EXECUTABLE = { owner: 0o100, group: 0o010, other: 0o001, any: 0o111 } as const;

/** The content behind a path, symlinks followed, or why there is none. */
export type ContentFacts = { readonly content: Uint8Array } | { readonly missing: string };

/** What is wrong with a file's content, each in a line; empty: passed. */
export function judgeContent(test: FileContentTest, facts: ContentFacts): readonly string[] {
  if ('missing' in facts) return [mismatch(test.path, 'a file to read', facts.missing)];
  const text = new TextDecoder().decode(facts.content);
  return judgeText(`content of ${test.path}`, text, {
    expected: test.expectedContents,
    excluded: test.excludedContents,
  });
}
