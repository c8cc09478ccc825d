// Random statements over the tables, and what the engine answers.

import { Expressions } from './expressions.mjs';
import { alasql } from './oracle.mjs';
import { NAMES, filled, sets } from './tables.mjs';

alasql.options.cache = false;

// Two rules are changed before anything is recorded, because the documented ones differ: the opposite of an unknown
// comparison is unknown, and a sign before null gives null.
const UniOp = alasql.yy.UniOp;
const original = UniOp.prototype.toJS;
UniOp.prototype.toJS = function (context, tableid, defcols) {
  let inner = this.right;
  while (inner instanceof UniOp && !inner.op) inner = inner.right;
  const isComparison = inner instanceof alasql.yy.Op || (inner instanceof UniOp && inner.op === 'NOT');
  if (this.op === '-' || (this.op === 'NOT' && isComparison)) {
    const value = this.right.toJS(context, tableid, defcols);
    return `((v) => (v == null ? undefined : ${this.op === '-' ? '-v' : '!v'}))(${value})`;
  }
  return original.call(this, context, tableid, defcols);
};

const items = (list) => list.map((text, at) => `${text} AS v${at}`).join(', ');
const names = (count) => Array.from({ length: count }, (_, at) => `v${at}`);
const aggregate = (r, e) => {
  const column = () => e.column('n', 'm', 'n', 'm', 'id');
  return r.pick([
    () => 'COUNT(*)', () => `COUNT(${e.column('n', 's', 'x')})`, () => `SUM(${column()})`, () => `AVG(${column()})`, () => `MIN(${column()})`,
    () => `MAX(${column()})`, () => `COUNT(DISTINCT ${e.column('g', 's', 'n')})`, () => `SUM(${e.number(1)})`, () => `MAX(${column()}) - MIN(${column()})`,
    () => `ROUND(AVG(${column()}), 2)`, () => `COUNT(*) + 1`, () => `MEDIAN(${column()})`, () => `MEAN(${column()})`, () => `MODE(${column()})`,
    () => `PROD(${column()})`, () => `MAD(${column()})`, () => `VAR(${column()})`, () => `STDEV(${column()})`, () => `VARP(${e.column('id')})`, () => `STDDEV(${e.column('id')})`,
    () => `ARRAY(${e.column('n', 's')})`, () => `GROUP_CONCAT(${e.column('id', 'id', 's')})`, () => `SUM(DISTINCT ${column()})`,
    () => `FIRST(${column()})`, () => `LAST(${column()})`, () => `QUART(${column()})`, () => `QUART2(${e.column('id')})`, () => `QUART3(${e.column('id')})`,
  ])();
};
const where = (e, r, depth = 2) => (r.chance(0.6) ? ` WHERE ${e.condition(depth)}` : '');
const direction = (r) => r.pick(['', ' ASC', ' DESC', '']);
const limit = (r) => r.pick(['', ` LIMIT ${r.int(1, 9)}`, ` LIMIT ${r.int(1, 6)} OFFSET ${r.int(0, 4)}`]);

/** Makers of statements: the text after the choice of a database, the number of columns, and whether the order counts. */
const KINDS = {
  values: [1500, (r, d) => {
    const e = new Expressions(r);
    const list = Array.from({ length: r.int(1, 4) }, () => e.any());
    return [`SELECT ${items(list)} FROM ${d}.p${where(e, r, 1)} ORDER BY id`, list.length, true];
  }],
  conditions: [1500, (r, d) => {
    const e = new Expressions(r);
    return [`SELECT id AS v0 FROM ${d}.p WHERE ${e.condition(r.int(0, 3))} ORDER BY id`, 1, true];
  }],
  order: [600, (r, d) => {
    const e = new Expressions(r);
    const list = ['id', 'n', 's', 'm', e.number(1)];
    const keys = Array.from({ length: r.int(1, 3) }, () => r.pick(['n', 'm', 's', 'v4', 'b', 't', 'v1', '2', '3', 'dt']) + direction(r));
    const top = r.chance(0.2) ? `TOP ${r.int(1, 8)}${r.chance(0.3) ? '0 PERCENT' : ''} ` : '';
    return [`SELECT ${top}${items(list)} FROM ${d}.p${where(e, r, 1)} ORDER BY ${keys.join(', ')}, id${top ? '' : limit(r)}`, 5, true];
  }],
  mixed: [120, (r, d) => [`SELECT id AS v0, x AS v1 FROM ${d}.${r.pick('pq')} ORDER BY x${direction(r)}, g${direction(r)}`, 2, true]],
  distinct: [250, (r, d) => {
    const e = new Expressions(r);
    const list = r.some(['n', 's', 'b', 'x', 'g', 'm', 't', e.number(1)], r.int(1, 3));
    return [`SELECT DISTINCT ${items(list)} FROM ${d}.p${where(e, r, 1)}`, list.length, false];
  }],
  aggregates: [500, (r, d) => {
    const e = new Expressions(r);
    const list = Array.from({ length: r.int(1, 4) }, () => aggregate(r, e));
    return [`SELECT ${items(list)} FROM ${d}.p${where(e, r, 1)}`, list.length, false];
  }],
  groups: [800, (r, d) => {
    const e = new Expressions(r);
    const keys = r.chance(0.85) ? r.some(['g', 'b', 'n', 's'], r.int(1, 2)) : [r.pick(['UPPER(s)', 'LENGTH(s)', 'ABS(n)', 'YEAR(dt)'])];
    const list = [...keys, ...Array.from({ length: r.int(1, 3) }, () => aggregate(r, e))];
    const having = r.chance(0.3) ? ` HAVING ${r.pick(['COUNT(*)', 'SUM(n)', 'MAX(m)', 'AVG(n)', 'COUNT(n)'])} ${r.pick(['>', '>=', '=', '<', '!='])} ${r.int(0, 4)}` : '';
    return [`SELECT ${items(list)} FROM ${d}.p${where(e, r, 1)} GROUP BY ${keys.join(', ')}${having}`, list.length, false];
  }],
  joins: [800, (r, d) => {
    const e = new Expressions(r, ['k', 'l']);
    const kind = r.pick(['INNER JOIN', 'JOIN', 'LEFT JOIN', 'LEFT OUTER JOIN', 'RIGHT JOIN', 'RIGHT OUTER JOIN', 'FULL OUTER JOIN']);
    const on = r.pick(['k.id = l.id', 'k.n = l.id', 'k.n = l.n', 'k.g = l.g', 'k.s = l.s', 'k.id = l.n AND k.g = l.g', 'k.id < l.id', 'k.n = l.n AND l.m > 0']);
    const list = ['k.id', 'l.id', ...Array.from({ length: r.int(0, 2) }, () => e.any(1))];
    return [`SELECT ${items(list)} FROM ${d}.p AS k ${kind} ${d}.q AS l ON ${on}${where(e, r, 1)}`, list.length, false];
  }],
  products: [60, (r, d) => {
    const e = new Expressions(r, ['k', 'l']);
    return [`SELECT k.id AS v0, l.id AS v1, ${e.any(1)} AS v2 FROM ${d}.p AS k CROSS JOIN ${d}.q AS l WHERE k.id < 5${r.chance(0.5) ? ` AND ${e.predicate(0)}` : ''}`, 3, false];
  }],
  joinedGroups: [250, (r, d) => {
    const e = new Expressions(r, ['k', 'l']);
    const list = ['k.g', ...Array.from({ length: r.int(1, 2) }, () => aggregate(r, e))];
    return [`SELECT ${items(list)} FROM ${d}.p AS k ${r.pick(['INNER', 'LEFT'])} JOIN ${d}.q AS l ON k.n = l.n GROUP BY k.g`, list.length, false];
  }],
  triple: [60, (r, d) => {
    const e = new Expressions(r, ['k', 'l', 'o']);
    return [`SELECT k.id AS v0, l.id AS v1, o.id AS v2, ${e.any(1)} AS v3 FROM ${d}.p AS k INNER JOIN ${d}.q AS l ON k.n = l.n ${r.pick(['INNER', 'LEFT'])} JOIN ${d}.p AS o ON l.id = o.id`, 4, false];
  }],
  constants: [400, (r) => {
    const e = new Expressions(r, []);
    const list = Array.from({ length: r.int(1, 3) }, () => (r.chance(0.6) ? e.number() : e.text()));
    return [`SELECT ${items(list)}`, list.length, true];
  }],
};

const WRITES = {
  updates: [300, (r, d) => {
    const e = new Expressions(r);
    const set = r.some(['n', 'm', 's', 't', 'b', 'x', 'fresh'], r.int(1, 3));
    const value = () => r.pick([() => e.number(1), () => e.text(1), () => 'NULL', () => 'true', () => "'x'", () => e.column('n', 's', 'doc')])();
    const values = set.map(() => value());
    const filter = r.chance(0.85) ? ` WHERE ${e.condition(1)}` : '';
    return {
      text: `UPDATE ${d}.p SET ${set.map((name, at) => `${name} = ${values[at]}`).join(', ')}${filter}`,
      // All values are computed from the row as it was, which is what a SELECT of them gives.
      run: (rows) => {
        for (const found of alasql(`SELECT id, ${items(values)} FROM ${d}.p${filter}`)) {
          const row = rows.find((row) => row.id === found.id);
          set.forEach((name, at) => (row[name] = found[`v${at}`]));
        }
      },
    };
  }],
  deletes: [250, (r, d) => {
    const e = new Expressions(r);
    return `DELETE FROM ${d}.p${r.chance(0.95) ? ` WHERE ${e.condition(2)}` : ''}`;
  }],
  inserts: [150, (r, d) => {
    const e = new Expressions(r, []);
    const columns = r.some(['n', 'm', 's', 't', 'b', 'x', 'fresh'], r.int(1, 4));
    const value = () => r.pick([() => e.number(1), () => e.text(1), () => 'NULL', () => r.pick(['true', 'false']), () => "'it''s'"])();
    const rows = Array.from({ length: r.int(1, 3) }, (_, at) => `(${[100 + at, ...columns.map(value)].join(', ')})`);
    return `INSERT INTO ${d}.p (id, ${columns.join(', ')}) VALUES ${rows.join(', ')}`;
  }],
};

const load = (all) => {
  for (const { database, p, q } of all) {
    if (!alasql.databases[database]) alasql(`CREATE DATABASE ${database}`);
    for (const [name, rows] of Object.entries({ p, q })) {
      if (!alasql.databases[database].tables[name]) alasql(`CREATE TABLE ${database}.${name}`);
      alasql.databases[database].tables[name].data = filled(rows);
    }
  }
};

/** What JSON makes of a value; what has none is null. */
const cell = (value) => JSON.parse(JSON.stringify(value ?? null));
const answer = (text, columns) => {
  try {
    return { r: alasql(text).map((row) => columns.map((name) => cell(row[name]))) };
  } catch (error) {
    return { e: String(error.message).slice(0, 60) };
  }
};

export const statementCases = (random) => {
  const all = sets(random, 6);
  const cases = [{ tables: all }];
  load(all);
  for (const [kind, [times, make]] of Object.entries(KINDS)) {
    for (let i = 0; i < times; i++) {
      const [text, count, ordered] = make(random, random.pick(all).database);
      cases.push({ k: kind, q: text, ...(ordered ? { o: 1 } : {}), ...answer(text, names(count)) });
    }
  }
  const columns = [...NAMES, 'fresh'];
  for (const [kind, [times, make]] of Object.entries(WRITES)) {
    for (let i = 0; i < times; i++) {
      const set = random.pick(all);
      const made = make(random, set.database);
      const { text, run } = made.text ? made : { text: made, run: () => alasql(made) };
      load([set]);
      const table = () => alasql.databases[set.database].tables.p.data;
      let result;
      try {
        run(table());
        result = { r: table().map((row) => columns.map((name) => cell(row[name]))) };
      } catch (error) {
        result = { e: String(error.message).slice(0, 60) };
      }
      cases.push({ k: kind, q: text, w: set.database, ...result });
      load([set]);
    }
  }
  return cases;
};
