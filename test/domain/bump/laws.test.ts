import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combineFormats } from '../../../src/domain/bump/combine.ts';
import type { ImageChange } from '../../../src/domain/bump/format.ts';
import { PIN_FORMATS } from '../../../src/domain/bump/formats.ts';
import { patternFormat } from '../../../src/domain/bump/pattern.ts';
import type { Digest } from '../../../src/domain/digest.ts';

const repository = 'registry.example.org/golden/debian';
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const forward: ImageChange = { repository, line: '12', version: '12.0.1', digest: digest('b'), channels: ['stable'] };
const backward: ImageChange = { ...forward, version: '12.0.0', digest: digest('a'), back: true };
const bytes = (content: string) => Buffer.from(content);
const text = (content: Uint8Array) => Buffer.from(content).toString('utf8');

interface Sample {
  /** What has to stand around the lines. */
  readonly open?: string;
  readonly close?: string;
  /** Lines with pins: `§` stands for a reference, `§tag` for a version, `§digest` for a digest. */
  readonly uses: readonly string[];
  /** Lines that mean nothing, however much they look like it. */
  readonly fillers: readonly string[];
}

const whole = `${repository}:12.0.0`;
const SAMPLES: Readonly<Record<string, Sample>> = {
  dockerfile: {
    open: 'FROM scratch',
    uses: [
      'FROM §',
      'from\t§  AS  x ',
      'COPY --from=§ /a /b',
      'RUN --mount=from=§,target=/x true',
      'FROM \\\n  §',
      'ONBUILD COPY --from="§" /a /b',
    ],
    fillers: [
      'RUN echo "golden/debian"',
      `# FROM ${whole}`,
      'RUN a \\\n  # x\n\n  b',
      'FROM alpine:3.20 AS other',
      'COPY --from=0 /a /b',
      `RUN <<EOF\nFROM ${whole}\nEOF`,
      'not an instruction at all',
    ],
  },
  quadlet: {
    open: '[Container]',
    uses: ['Image=§', ' Image = § ', 'Image=docker://§', 'Image=\\\n  §'],
    fillers: [`# Image=${whole}`, `;Image=${whole}`, `Exec=a \\\nImage=${whole}`, 'Image=x.build', 'Label="a=\'"'],
  },
  terraform: {
    uses: [
      'container { image = "§" }',
      'x = [{ "image" : "§" }, { image = "§" }]',
      'resource "docker_image" "x" {\n  name = "§"\n}',
      'image_uri="§"//x',
      '/* x */ image = "§" # y',
    ],
    fillers: [
      `# image = "${whole}"`,
      `/*\nimage = "${whole}"\n*/`,
      `x = <<-EOT\n  image = "${whole}"\n  EOT`,
      `name = "${whole}"`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how HCL puts values in
      'a = "b ${c["}"]} \\" $${d}"',
    ],
  },
  bazel: {
    uses: [
      `oci.pull(name = "x", image = "${repository}", digest = "§digest")`,
      `oci_pull(\n    image = '${repository}',  # x\n    tag = '§tag',\n)`,
      'oci.pull(image = "§")',
      'container_pull(registry = "registry.example.org", repository = "golden/debian", tag = "§tag", digest = "§digest")',
    ],
    fillers: [
      `# oci.pull(image = "${whole}")`,
      `"""\noci.pull(image = "${whole}")\n"""`,
      `http_file(image = "${whole}")`,
      'x = ["a", (1, "b)")]',
    ],
  },
  earthfile: {
    open: 'VERSION 0.8',
    uses: [
      'FROM §',
      '    FROM --platform=linux/amd64 § # note',
      '    WITH DOCKER --pull § --load x=+y',
      '    FROM \\\n      §',
    ],
    fillers: [`# FROM ${whole}`, 'build:', '    RUN echo \\\n      FROM x', '    FROM +build', '    COPY +deps/out ./'],
  },
  jenkinsfile: {
    uses: [
      "agent { docker { image '§'; args '-u 0' } }",
      "agent { docker '§' }",
      'docker.image("§").inside { }',
      "containerTemplate(name: 'x', image: '§')",
      "withDockerContainer('§') { }",
    ],
    fillers: [
      `// docker.image('${whole}')`,
      `/* docker.image('${whole}') */`,
      `sh '''docker.image('${whole}')'''`,
      `sh "echo \\"image '${whole}'\\" \${x["}"]}"`,
      "x = 1 / 2 / 3; y =~ /it's/",
    ],
  },
  buildpacks: {
    open: '[io.buildpacks]',
    uses: [
      'builder = "§" # x',
      "image='§'",
      'uri = "docker://§"',
      'mirrors = [\n  "§",\n  \'§\' ]',
      'a = { image = "§" }',
    ],
    fillers: [
      `# builder = "${whole}"`,
      `x = """\nbuilder = "${whole}"\n"""`,
      `value = "${whole}"`,
      '[[run.images]]',
      "y = 'it'",
    ],
  },
  marked: {
    uses: [
      `# ingot: ${repository}\nTAG ?= §tag`,
      `// ingot: ${repository}\nconst image = '§';`,
      `export X="§" # ingot: ${repository}`,
      `# ingot: ${repository}\n# a word\nDIGEST=§digest`,
    ],
    fillers: [`IMAGE=${whole}`, `# IMAGE=${whole}`, 'all: ; true', 'ifeq ($(A),b)'],
  },
  compose: {
    open: 'services:',
    uses: [
      '  a: { image: "§" }',
      '  b:\n    image: §  # kept',
      '  c:\n    image: >-\n      §',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how compose puts values in
      "  d: { image: '${X:-§}' }",
      '  e:\n    build:\n      args: [ "BASE=§" ]',
      '  f: { build: { additional_contexts: { x: "docker-image://§" } } }',
      '  g:\n    build:\n      dockerfile_inline: |\n        FROM §\n        RUN x',
      '  h: { image: &x "§" }\n  i: { image: *x }',
      '  j: &y\n    image: §\n  k:\n    <<: *y',
    ],
    fillers: [
      `# image: ${whole}`,
      `  l: { image: "${whole}", build: . }`,
      `  m: { command: "${whole}" }`,
      `  n:\n    environment:\n      A: ${whole}`,
      '  o: [ "a", \'b\' ]',
    ],
  },
  kustomize: {
    open: 'images:',
    uses: [
      `- { name: ${repository}, newTag: §tag }`,
      `- name: x\n  newName: ${repository}\n  digest: §digest`,
      `- { newName: '${repository}', newTag: "§tag", digest: "§digest" }`,
    ],
    fillers: [
      `- { name: ${repository} }`,
      `# - { name: ${repository}, newTag: 12.0.0 }`,
      '- { name: x, newTag: 12.0.0 }',
    ],
  },
  'helm-values': {
    open: 'a: 1',
    uses: [
      `b: { image: { repository: ${repository}, tag: "§tag" } }`,
      'cImage: §',
      `d:\n  image:\n    registry: registry.example.org\n    repository: golden/debian\n    tag: §tag\n    digest: §digest`,
      `e: { image: ${repository}, imageTag: §tag }`,
      `f: { image: { repository: ${repository}, tag: '§tag@§digest' } }`,
    ],
    fillers: [`g: "${whole}"`, `# image: ${whole}`, `h: |\n  image: ${whole}`, 'tag: 12.0.0'],
  },
  'helm-chart': {
    open: 'annotations:\n  artifacthub.io/images: |\n   # list',
    uses: ['   - image: §', '   - { name: x, image: "§" }'],
    fillers: [`   # image: ${whole}`, `   - name: ${whole}`],
  },
  'github-actions': {
    open: 'jobs:',
    uses: [
      '  a: { container: "§" }',
      '  b:\n    container:\n      image: §',
      "  c: { services: { x: { image: '§' } } }",
      '  d: { steps: [ { uses: "docker://§" } ] }',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how a workflow puts values in
      "  e: { strategy: { matrix: { i: [ '§' ] } }, container: '${{ matrix.i }}' }",
      '  f: { steps: [ { with: { build-args: "B=§" } } ] }',
    ],
    fillers: [
      `# container: ${whole}`,
      `  g: { steps: [ { run: "${whole}" } ] }`,
      `  h: { steps: [ { with: { tags: "${whole}" } } ] }`,
    ],
  },
  'gitlab-ci': {
    open: 'stages: [x]',
    uses: [
      'a: { image: "§" }',
      "b: { image: { name: '§' } }",
      'c: { services: [ "§", { name: "§" } ] }',
      'variables: { IMG: "§" }',
      'd: { variables: { V: "§" }, image: $V }',
      'image: §',
    ],
    fillers: [`# image: ${whole}`, `e: { script: [ "docker run ${whole}" ] }`, 'f: { image: !reference [ a, image ] }'],
  },
  circleci: {
    open: 'jobs:',
    uses: [
      '  a: { docker: [ { image: "§" } ] }',
      '  b:\n    docker:\n    - image: §',
      "  c: { parameters: { i: { default: '§' } }, docker: [ { image: << parameters.i >> } ] }",
    ],
    fillers: [`# image: ${whole}`, `  d: { steps: [ { run: "${whole}" } ] }`],
  },
  drone: {
    open: 'steps:',
    uses: ['- image: §', "- { name: x, image: '§' }"],
    fillers: [`# image: ${whole}`, `- commands: [ "${whole}" ]`],
  },
  woodpecker: {
    open: 'steps:',
    uses: ['  a: { image: "§" }', '  b:\n    image: §'],
    fillers: [`# image: ${whole}`, `  c: { commands: [ "${whole}" ] }`],
  },
  'azure-pipelines': {
    open: 'jobs:',
    uses: ['- container: §', '- { container: { image: "§" } }', "- variables: { V: '§' }", '- services: { db: "§" }'],
    fillers: [`# container: ${whole}`, `- script: "${whole}"`, '- container: golden'],
  },
  'cloud-build': {
    open: 'steps:',
    uses: ['- name: §', "- { name: '§', args: [] }"],
    fillers: [`# - name: ${whole}`, `- args: [ "${whole}" ]`],
  },
  bitbucket: {
    open: 'pipelines:',
    uses: [
      '- step: { image: "§" }',
      '- step:\n    image:\n      name: §',
      '- step: { script: [ { pipe: "docker://§" } ] }',
    ],
    fillers: [`# image: ${whole}`, `- step: { script: [ "${whole}" ] }`],
  },
  devcontainer: {
    open: '{',
    close: '"z": 1 }\n',
    uses: ['"image": "§",', '"image":"§" , // x', '"build": { "args": { "B": "§", }, },'],
    fillers: [`// "image": "${whole}",`, `/* "image": "${whole}" */`, `"x": "${whole}",`],
  },
  kubernetes: {
    open: 'apiVersion: v1\nkind: List\nitems:',
    uses: [
      '- image: §',
      "- { image: '§' } # kept",
      '- volumes:\n  - image: { reference: "§" }',
      `- { repository: ${repository}, tag: §tag }`,
      '- env: [ { name: X, value: "§" } ]',
      '- spec:\n    image:\n      "§"',
      '- kustomize: { images: [ "x=§" ] }',
      '- helm:\n    values: |\n      image: §\n      b: 1',
      '- {{ if .x }}\n- image: §',
    ],
    fillers: [
      `# - image: ${whole}`,
      `- command: [ "${whole}" ]`,
      `- name: ${whole}`,
      '{{- if .Values.x }}',
      '- {{ toYaml .Values.y }}',
      '- image: "{{ .Values.image }}"',
    ],
  },
  tekton: {
    open: 'apiVersion: tekton.dev/v1\nspec:\n  steps:',
    uses: ['  - image: §', '  - { image: "§" }', '  - params: [ { name: x, default: "§" } ]'],
    fillers: [`  # image: ${whole}`, `  - script: "${whole}"`],
  },
  skaffold: {
    open: 'apiVersion: skaffold/v4\nbuild:\n  artifacts:',
    uses: ['  - docker: { buildArgs: { B: "§" } }', '  - ko: { fromImage: § }', "  - jib:\n      fromImage: '§'"],
    fillers: [`# fromImage: ${whole}`, `  - image: ${whole}`],
  },
  'other-yaml': {
    open: 'steps:',
    uses: ['- image: §', '- plugins: [ { x: { image: "§" } } ]', '- toolImage: §'],
    fillers: [`# image: ${whole}`, `- { image: "${whole}", build: . }`, `- command: ${whole}`],
  },
  pattern: {
    uses: ['use "§"', `pull ${repository} at §tag is §digest`],
    fillers: [`"${whole}"`, `reuse ${whole}`, '}{)('],
  },
};

const own = [
  patternFormat({ files: ['**'], pattern: '^use "(?P<image>[^"]+)"' }),
  patternFormat({ files: ['**'], pattern: '^pull (?P<image>\\S+) at (?P<tag>\\S+) is (?P<digest>sha256:[0-9a-f]+)' }),
];
const FORMATS = [...PIN_FORMATS, combineFormats([own[0]!, own[1]!])];

test('there are samples of every format', () => {
  expect(Object.keys(SAMPLES)).toEqual([...PIN_FORMATS.map(({ id }) => id), 'pattern']);
});

describe.each(FORMATS.map((format, index) => ({ name: Object.keys(SAMPLES)[index]!, format })))('$name', (given) => {
  const { bump, findPins } = given.format;
  const { open = '', close = '', uses, fillers } = SAMPLES[given.name]!;
  const pin = fc.constantFrom(
    `:12.0.0@${digest('a')}`,
    ':12.0.0',
    `@${digest('a')}`,
    `:12@${digest('a')}`,
    `:stable@${digest('a')}`,
  );
  const use = fc.tuple(pin, fc.constantFrom(...uses)).map(([each, form]) =>
    form
      .replaceAll('§tag', '12.0.0')
      .replaceAll('§digest', digest('a'))
      .replaceAll('§', repository + each),
  );
  const filler = fc.constantFrom(...fillers, '', '   \t');
  const file = fc
    .tuple(
      fc.array(fc.oneof(filler, use), { maxLength: 12 }),
      fc.constantFrom('\n', '\r\n'),
      fc.constantFrom('', '\uFEFF'),
    )
    .map(([lines, newline, mark]) => bytes(`${mark}${open}\n${lines.join('\n')}\n${close}`.replaceAll('\n', newline)));

  test('every use is found and moved', () => {
    fc.assert(
      fc.property(use, fc.constantFrom('\n', '\r\n'), (lines, newline) => {
        const content = bytes(`${open}\n${lines}\n${close}`.replaceAll('\n', newline));
        const { pins, left } = bump(content, forward);

        return pins.length > 0 && left.length === 0 && findPins(content, [repository]).length >= pins.length;
      }),
    );
  });

  test('what only looks like one stays', () => {
    fc.assert(
      fc.property(fc.array(filler, { maxLength: 12 }), (lines) => {
        const content = bytes(`${open}\n${lines.join('\n')}\n${close}`);
        const { pins, left } = bump(content, forward);

        return pins.length === 0 && left.length === 0 && findPins(content, [repository]).length === 0;
      }),
    );
  });

  test('a bump twice is a bump once', () => {
    fc.assert(
      fc.property(file, (content) => {
        const once = bump(content, forward).content;

        return Buffer.compare(bump(once, forward).content, once) === 0;
      }),
    );
  });

  test('a bump there and back gives the same bytes', () => {
    fc.assert(
      fc.property(file, (content) => {
        const there = bump(content, forward).content;

        return Buffer.compare(bump(there, backward).content, content) === 0;
      }),
    );
  });

  test('nothing outside the pins moves', () => {
    const masked = (content: Uint8Array) => text(content).replaceAll(/(?<!\d)12\.0\.[01]|sha256:(?:a{64}|b{64})/g, '@');
    fc.assert(
      fc.property(file, (content) => {
        const { content: bumped, pins } = bump(content, forward);
        const changed = text(bumped)
          .split('\n')
          .filter((line, index) => line !== text(content).split('\n')[index]);

        return masked(bumped) === masked(content) && changed.length > 0 === pins.length > 0;
      }),
    );
  });

  test('no bytes make it fail', () => {
    const line = fc.oneof(use, filler).map(bytes);
    fc.assert(
      fc.property(line, fc.uint8Array({ maxLength: 200 }), line, (before, noise, after) => {
        const content = Buffer.concat([bytes(`${open}\n`), before, noise, after]);

        return bump(content, forward).content.length === content.length;
      }),
    );
  });
});
