import { RE2JS } from 're2js';
import { z } from 'zod';
import { digestOf } from '../digest.ts';
import { type ReadDocument, readDocument, type SourceText } from './document.ts';
import type { SmokeTests } from './model.ts';
import { AbsolutePath, DigitsOrText, VariableName } from './values.ts';

/** container-structure-test matches with Go's regexp, which is RE2. */
const Pattern = z.string().check((context) => {
  const why = whyInvalid(context.value);
  if (why === undefined) return;
  context.issues.push({ code: 'custom', input: context.value, message: `is no regular expression (RE2): ${why}` });
});

function whyInvalid(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const Patterns = z.array(Pattern).default([]);
const TestName = z.string().min(1, 'is empty');
const Variables = z.array(z.strictObject({ key: VariableName, value: z.string() })).default([]);
const Commands = z.array(z.array(z.string()).min(1, 'is empty')).default([]);

const CommandTest = z.strictObject({
  name: TestName,
  setup: Commands,
  teardown: Commands,
  envVars: Variables,
  command: z.string().min(1, 'is empty'),
  args: z.array(z.string()).default([]),
  exitCode: z.int().min(0).max(255).default(0),
  expectedOutput: Patterns,
  excludedOutput: Patterns,
  expectedError: Patterns,
  excludedError: Patterns,
});

const FileExistenceTest = z.strictObject({
  name: TestName,
  path: AbsolutePath,
  shouldExist: z.boolean().default(true),
  permissions: z
    .string()
    .regex(/^[-dLlpscbSDu][-rwxsStT]{9}$/, 'are no permissions; write them as in "-rwxr-xr-x"')
    .optional(),
  uid: z.int().nonnegative().optional(),
  gid: z.int().nonnegative().optional(),
  isExecutableBy: z.enum(['owner', 'group', 'other', 'any']).optional(),
});

const FileContentTest = z.strictObject({
  name: TestName,
  path: AbsolutePath,
  expectedContents: Patterns,
  excludedContents: Patterns,
});

const Metadata = z
  .strictObject({ key: z.string().min(1, 'is empty'), value: z.string(), isRegex: z.boolean().default(false) })
  .check((context) => {
    const { isRegex, value } = context.value;
    const why = isRegex ? whyInvalid(value) : undefined;
    if (why === undefined) return;
    const message = `is no regular expression (RE2): ${why}`;
    context.issues.push({ code: 'custom', input: value, path: ['value'], message });
  });

/** A bare name, or `{ key: NAME }` as container-structure-test writes it. */
const Unbound = z
  .union([VariableName, z.strictObject({ key: VariableName })], { error: 'must be the name of a variable' })
  .transform((item) => (typeof item === 'string' ? item : item.key));

const Ports = z.array(DigitsOrText).default([]);

const MetadataTest = z.strictObject({
  envVars: z.array(Metadata).default([]),
  labels: z.array(Metadata).default([]),
  unboundEnvVars: z.array(Unbound).default([]),
  entrypoint: z.array(z.string()).optional(),
  cmd: z.array(z.string()).optional(),
  exposedPorts: Ports,
  unexposedPorts: Ports,
  volumes: z.array(z.string()).default([]),
  unmountedVolumes: z.array(z.string()).default([]),
  workdir: z.string().optional(),
  user: DigitsOrText.optional(),
});

/** smoke.yaml: the schema of container-structure-test 2.0.0 (its docs, "Test configuration"). */
const SmokeFile = z.strictObject({
  schemaVersion: z.literal('2.0.0'),
  globalEnvVars: Variables,
  commandTests: z.array(CommandTest).default([]),
  fileExistenceTests: z.array(FileExistenceTest).default([]),
  fileContentTests: z.array(FileContentTest).default([]),
  metadataTest: MetadataTest.optional(),
});

const PLANNED = ['licenseTests', 'containerRunOptions'];

export function readSmokeTests(source: SourceText): ReadDocument<SmokeTests> {
  const { value, ...document } = readDocument(source, SmokeFile, { planned: PLANNED });
  if (value === undefined) return document;
  const { schemaVersion: _, metadataTest, ...tests } = value;
  const smoke = { digest: digestOf(source.text), ...tests, ...(metadataTest === undefined ? {} : { metadataTest }) };
  return { ...document, value: smoke as SmokeTests };
}
