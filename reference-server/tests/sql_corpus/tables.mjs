// Small random tables. Each set is a database with two tables, `p` and `q`; rows may lack attributes.

const TEXTS = ['ant', 'Bee', 'bee', 'cat', 'Dog', '', 'a b', 'émile', '10', '9', 'it', 'zebra', 'x_y', '100%', 'Ant'];
const DATES = ['2001-02-03', '2001-02-03T04:05:06.789Z', '1999-12-31T23:59:59Z', '2020-02-29', '2010-06-15 12:00:00', 'someday'];
const DOCUMENTS = [{ w: 1, z: [3, 4] }, { w: 'oak', z: [] }, { w: null }, { z: [{ k: 'v' }] }, [1, 2, 3], ['a']];

/** Columns of both tables, with how their values are made; the second number says how often they are null or absent. */
const COLUMNS = {
  n: [(r) => r.int(-3, 9), 0.15],
  m: [(r) => r.pick([0, 0.5, 1.5, -2.25, 10, 99.99, 3]), 0.1],
  s: [(r) => r.pick(TEXTS), 0.15],
  t: [(r) => r.pick(['1', '2', '3.5', '-4', 'x', '07', '']), 0.1],
  b: [(r) => r.chance(0.5), 0.2],
  x: [(r) => r.pick([1, '1', 'one', true, 0, '', 2.5, 'true', -1]), 0.2],
  dt: [(r) => r.pick(DATES), 0.1],
  doc: [(r) => r.pick(DOCUMENTS), 0.2],
  g: [(r) => r.pick(['red', 'blue', 'green', 1, 2]), 0.1],
};

export const NAMES = ['id', ...Object.keys(COLUMNS)];

const row = (r, id) => {
  const made = { id };
  for (const [name, [make, missing]] of Object.entries(COLUMNS)) {
    if (!r.chance(missing)) made[name] = make(r);
    else if (r.chance(0.5)) made[name] = null;
  }
  return made;
};

const table = (r, size) => {
  const rows = Array.from({ length: size }, (_, at) => row(r, at + 1));
  // Every column occurs, so that no statement names an unknown one.
  for (const name of NAMES) {
    if (!rows.some((row) => name in row)) rows[0][name] = COLUMNS[name][0](r);
  }
  return rows;
};

export const sets = (random, count) =>
  Array.from({ length: count }, (_, at) => ({
    database: `c${at}`,
    p: table(random, [14, 9, 20, 12, 1, 16][at % 6]),
    q: table(random, [8, 12, 6, 10, 5, 3][at % 6]),
  }));

/** The rows as the engine gets them: absent attributes are null. */
export const filled = (rows) => rows.map((row) => Object.fromEntries(NAMES.map((name) => [name, structuredClone(row[name] ?? null)])));
