// Records the corpus: `npm install && node generate.mjs [seed]` in this folder. The answers are data of the test
// `sql_corpus`; the packages are needed only to make them anew.

import { readFileSync, writeFileSync } from 'node:fs';
import { documentCases } from './documents.mjs';
import { functionCases } from './functions.mjs';
import { Random } from './random.mjs';
import { shapeCases } from './shapes.mjs';
import { statementCases } from './statements.mjs';

const seed = Number(process.argv[2] ?? 20010203);
const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url)));

const write = (name, cases) => {
  const head = JSON.stringify({ seed, cases: cases.length, versions: dependencies });
  const path = new URL(name, import.meta.url);
  writeFileSync(path, [head, ...cases.map((one) => JSON.stringify(one))].join('\n') + '\n');
  console.log(`${name}: ${cases.length}`);
};

write('functions.jsonl', functionCases(new Random(seed)));
write('shapes.jsonl', shapeCases(new Random(seed)));
write('documents.jsonl', documentCases(new Random(seed)));
write('statements.jsonl', statementCases(new Random(seed)));
