import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type FieldNode,
  type GraphQLError,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { headOf } from '../fake-git.ts';
import { type FakeRepository, settle } from './repository.ts';

const file = new URL('../../../node_modules/@octokit/graphql-schema/schema.graphql', import.meta.url);
const schema = buildSchema(readFileSync(file, 'utf8'), { assumeValid: true });

// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
type Variables = Record<string, any>;
export type Refusal = { readonly type: string; readonly message: string };
type Outcome = { readonly data: unknown } | { readonly errors: readonly Refusal[] };

/** What a query gets wrong by GitHub's own schema, in words. */
export function graphqlMistakes(query: string, variables: Variables): string[] {
  const document = parse(query);
  const found = validate(schema, document);
  const operation = document.definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION)!;
  const { errors = [] } = getVariableValues(
    schema,
    (operation as OperationDefinitionNode).variableDefinitions ?? [],
    variables,
  );
  return [...found, ...errors].map((error: GraphQLError) => error.message);
}

/** The few queries that there are no REST operations for. */
export async function answerGraphql(
  query: string,
  variables: Variables,
  repositories: ReadonlyMap<string, FakeRepository>,
): Promise<Outcome> {
  const [definition] = parse(query).definitions as OperationDefinitionNode[];
  const field = (definition!.selectionSet.selections[0] as FieldNode).name.value;
  if (field === 'viewer') return { data: { viewer: { login: 'ingot-bot' } } };
  const done = { data: { [field]: { clientMutationId: null } } };
  if (field === 'updateRefs') return (await updateRef(variables, repositories)) ?? done;
  const [, id, number] = String(variables.pull).split('_');
  const repository = [...repositories.values()].find((each) => String(each.id) === id)!;
  const pull = repository.pulls.find((each) => String(each.number) === number)!;
  if (field === 'enablePullRequestAutoMerge') {
    const { allowAutoMerge, requiresChecks } = repository.settings;
    if (!allowAutoMerge) return refuse('Pull request Auto merge is not allowed for this repository');
    if (!requiresChecks) return refuse('Pull request Pull request is in clean status');
    pull.autoMerge = true;
    return done;
  }
  pull.draft = field === 'convertPullRequestToDraft';
  pull.updatedAt = new Date().toISOString();
  return done;
}

async function updateRef(
  { repository: id, update }: Variables,
  repositories: ReadonlyMap<string, FakeRepository>,
): Promise<Outcome | undefined> {
  const repository = [...repositories.values()].find((each) => `R_${each.id}` === id)!;
  const branch = String(update.name).replace('refs/heads/', '');
  const now = (await headOf(repository, branch)) ?? '0'.repeat(40);
  if (now !== update.beforeOid) return refuse(`A reference update failed: expected ${update.beforeOid}`);
  await repository.git(['update-ref', update.name, update.afterOid, update.beforeOid]);
  await settle(repository);
  return undefined;
}

function refuse(message: string): Outcome {
  return { errors: [{ type: 'UNPROCESSABLE', message }] };
}
