// Calls of every function with random arguments.

import { added, alasql, encode, outcome } from './oracle.mjs';

const TEXTS = [
  '', ' ', 'a', 'abc', 'ABC', 'aBc', 'foobar', 'banana', ' lead', 'trail  ', '  both \t', 'héllo', 'straße', 'ÅNGSTRÖM',
  '😀x', '0', '1', '12', '-7', '3.5', '1e3', '.5', '5.', '0x1f', ' 42 ', '12abc', 'true', 'false', 'null', 'NaN', 'Infinity',
  'a.b.c', 'a,b', "it's", 'x'.repeat(40), '10', '9', '2001-02-03', 'line\nbreak', '%', '_', '[ab]', 'a$b', '(', '日本語', 'İ', 'ǆ',
];
const NUMBERS = [
  0, -0, 1, -1, 2, 3, 5, 7, 10, 12, 16, 31, 32, 33, 100, 255, 1000, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 0.2, 1.005, 2.675, 1234.5678,
  -99.99, 1e21, 1e-7, 123456789012, 3000000000, -3000000000, 4294967296, 9007199254740993, 1e308, 5e-324, 65, 97, 8364,
];
const DOCUMENTS = [[], [1, 2, 3], ['a', 'b'], [null], [[1], [2]], {}, { a: 1 }, { name: 'Ann', tags: ['x', 'y'] }, ['7'], [3.5]];
const DATES = [
  '2001-02-03', '2001-02-03T04:05:06.789Z', '2001-02-03T04:05', '2001-02-03 04:05:06', '2001-02-03T10:00:00+02:00',
  '2001-02-03T10:00:00-0130', '2001-02-03T10:00:00+02', '20010203', '20010203T040506', '20010203T0405', '2001-034', '2001034',
  '2001-W05-6', '2001W056', '2001-W05', '2001-02', '2001', '2001-13-01', '2001-02-30', '2000-02-29', '2001-02-29', '2001-02-03T24:00',
  '2001-02-03T24:01', '2001-02-03T23:60', '2001-02-03T04:05:06,5', '2001-02-03T04:05:06.123456', '+012001-02-03', '-002001-02-03',
  '0001-01-01', '0099-12-31', '9999-12-31T23:59:59.999Z', 'Sat, 03 Feb 2001 04:05:06 +0200', 'Sun, 03 Feb 2001 04:05:06 GMT',
  '3 Feb 01 04:05 EST', '03 Feb 2001 04:05:06 Z', 'Feb 3, 2001', '3 February 2001', 'February 3, 2001 4:05 PM', '2/3/2001',
  '2001/02/03', '2001/2/3 4:05:06', '13/2/2001', '2.3.2001', 'Sat Feb 03 2001 04:05:06 GMT+0100', '/Date(981173106789)/',
  'Date(5)', 'someday', '', '5', '1970', '0', '981173106789', ' 2001-02-03', '2001-02-03 ', '2001-02-03T04:05:06 Z', '2001-2-3',
  '12:30', 'May 5', '5 May', '1999-12-31T23:59:59.999', '2020-06-15T12:00:00.000+05:30', '2001-02-03T04', '2001-02-03 4:05',
  '2001.02.03 04:05:06', '(note) 3 Feb 2001 04:05 GMT', '2001-02-03T04:05:06+99:99', '2001-02-03t04:05:06z', '24 Dec 2012 10:00 PDT',
];
const INSTANTS = [
  0, 1, -1, 981173106789, 983318400000, 951827696789, -62198755200000, 1e12, 1.5e12, 253402300799999, 8.64e15, 8.65e15, -8.6e15, 1000.7,
  -1000.7, 1583020800000, 1709164800000, 1072915200000,
];
const UNITS = [
  'years', 'year', 'y', 'Y', 'quarters', 'Q', 'q', 'months', 'month', 'M', 'weeks', 'w', 'W', 'days', 'day', 'd', 'D', 'hours', 'h', 'H',
  'minutes', 'm', 'seconds', 's', 'milliseconds', 'ms', 'MS', 'Months', 'DAYS', 'moons', '', 'isoWeek',
];
const TOKENS = [
  'YYYY', 'YY', 'Y', 'YYYYY', 'YYYYYY', 'M', 'MM', 'MMM', 'MMMM', 'Mo', 'D', 'DD', 'Do', 'DDD', 'DDDD', 'DDDo', 'd', 'dd', 'ddd', 'dddd',
  'do', 'e', 'E', 'w', 'ww', 'wo', 'W', 'WW', 'Wo', 'gg', 'gggg', 'GG', 'GGGG', 'Q', 'Qo', 'H', 'HH', 'h', 'hh', 'k', 'kk', 'm', 'mm', 's',
  'ss', 'S', 'SS', 'SSS', 'SSSS', 'SSSSSSSSS', 'A', 'a', 'X', 'x', 'Z', 'ZZ', 'z', 'zz', 'L', 'LL', 'LLL', 'LLLL', 'LT', 'LTS', 'l', 'll',
  'lll', 'llll', 'hmm', 'hmmss', 'Hmm', 'Hmmss', 'y', 'yy', 'yo', 'N', 'NNNN', 'NNNNN', '[at]', '[YYYY]', '-', ' ', '/', ':', 'T', '\\Y',
  '[open', 'o', ',', 'ö', 'P',
];
const PATTERNS = ['a', '^a', 'a$', '^$', '[a-c]+', '\\d', '\\w+', 'b.', '(a|b)n', 'A', '^.{3}$', '\\s', 'é', '[^a]', '(', 'x*', 'ana', '(?=b)', '\\bfoo', '.'];
const CASTS = [
  'INT', 'INTEGER', 'SMALLINT', 'BIGINT', 'FLOAT', 'NUMBER', 'NUMBER(3)', 'DECIMAL(5,1)', 'DECIMAL(8,3)', 'NUMERIC(1)', 'STRING', 'STRING(3)',
  'VARCHAR', 'VARCHAR(2)', 'NVARCHAR(4)', 'CHAR(5)', 'NCHAR(2)', 'BOOLEAN', 'JSON', 'MONEY', 'TEXT',
];
const STYLES = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 101, 102, 103, 104, 105, 106, 107, 108, 110, 111, 112, 9, 120];

const scalar = (random) => {
  const kind = random.next();
  if (kind < 0.4) return random.pick(TEXTS);
  if (kind < 0.8) return number(random);
  if (kind < 0.88) return random.chance(0.5);
  if (kind < 0.92) return undefined;
  if (kind < 0.95) return null;
  return random.pick(DOCUMENTS);
};
const number = (random) =>
  random.chance(0.6) ? random.pick(NUMBERS) : random.chance(0.5) ? random.int(-1000, 1000) : (random.next() - 0.5) * 10 ** random.int(-3, 9);
const text = (random) =>
  random.chance(0.7) ? random.pick(TEXTS) : Array.from({ length: random.int(0, 8) }, () => random.pick(['a', 'b', 'n', 'A', ' ', 'é', '.', '1'])).join('');
const date = (random) => {
  const kind = random.next();
  if (kind < 0.5) return random.pick(DATES);
  if (kind < 0.6) return random.pick(INSTANTS);
  if (kind < 0.75) return random.int(-2e12, 4e12);
  return new Date(random.int(-2e12, 4e12)).toISOString().slice(0, random.pick([10, 16, 19, 23, 24]));
};
const sometimes = (probability, make, otherwise) => (random) => (random.chance(probability) ? make(random) : otherwise(random));
const mostlyText = sometimes(0.85, text, scalar);
const mostlyNumber = sometimes(0.8, number, scalar);
const dateOrNot = sometimes(0.88, date, (random) => random.pick([null, true, [2001, 1, 3], [2001, 12, 3], 'x']));
const format = (random) => Array.from({ length: random.int(1, 5) }, () => random.pick(TOKENS)).join(random.pick(['', ' ', '-']));
const count = (random) => (random.chance(0.8) ? random.int(-40, 40) : random.pick([0.5, 1.5, -2.5, 2.4, '3', '-1', 'x', '1:30', 'P1Y2M', '-P3DT4H', null, 1e9, '1.02:03:04']));

/** How often each function is called, and with which arguments. */
const CALLS = {
  CONCAT: [40, (r) => Array.from({ length: r.int(0, 4) }, () => scalar(r))],
  CONCAT_WS: [40, (r) => Array.from({ length: r.int(1, 4) }, () => scalar(r))],
  INSTR: [40, (r) => [mostlyText(r), mostlyText(r)]],
  LENGTH: [25, (r) => [scalar(r)]],
  LOWER: [30, (r) => [scalar(r)]],
  UPPER: [30, (r) => [scalar(r)]],
  TRIM: [25, (r) => [mostlyText(r)]],
  LTRIM: [20, (r) => [mostlyText(r)]],
  RTRIM: [20, (r) => [mostlyText(r)]],
  SUBSTRING: [80, (r) => [mostlyText(r), ...(r.chance(0.4) ? [r.int(-6, 9)] : [mostlyNumber(r)]), ...(r.chance(0.6) ? [r.int(-1, 9)] : [])]],
  REPLACE: [50, (r) => [mostlyText(r), r.pick(['a', 'an', 'b', '.', '', 'é', ' ']), r.pick(['', 'X', 'an', '$&'])]],
  REGEXP_LIKE: [80, (r) => [mostlyText(r), r.pick(PATTERNS), ...(r.chance(0.3) ? [r.pick(['i', '', 'g', 'm', 'x', 'ii'])] : [])]],
  CHAR: [15, (r) => [r.pick([65, 97, 8364, 0, 65601, -1])]],
  ASCII: [15, (r) => [mostlyText(r)]],
  ABS: [25, (r) => [mostlyNumber(r)]],
  CEIL: [25, (r) => [mostlyNumber(r)]],
  FLOOR: [25, (r) => [mostlyNumber(r)]],
  ROUND: [100, (r) => (r.chance(0.4) ? [mostlyNumber(r)] : [mostlyNumber(r), r.int(-3, 6)])],
  SQRT: [30, (r) => [mostlyNumber(r)]],
  EXP: [30, (r) => [r.chance(0.7) ? (r.next() - 0.5) * 40 : mostlyNumber(r)]],
  POWER: [60, (r) => [mostlyNumber(r), r.chance(0.7) ? r.int(-5, 8) : mostlyNumber(r)]],
  GREATEST: [40, (r) => Array.from({ length: r.int(1, 4) }, () => scalar(r))],
  LEAST: [40, (r) => Array.from({ length: r.int(1, 4) }, () => scalar(r))],
  IIF: [30, (r) => [scalar(r), scalar(r), scalar(r)]],
  IFNULL: [25, (r) => [scalar(r), scalar(r)]],
  NULLIF: [60, (r) => [scalar(r), scalar(r)]],
  COALESCE: [30, (r) => Array.from({ length: r.int(1, 4) }, () => scalar(r))],
  YEAR: [50, (r) => [dateOrNot(r)]],
  MONTH: [25, (r) => [dateOrNot(r)]],
  DAY: [25, (r) => [dateOrNot(r)]],
  HOUR: [25, (r) => [dateOrNot(r)]],
  MINUTE: [15, (r) => [dateOrNot(r)]],
  SECOND: [15, (r) => [dateOrNot(r)]],
  DAYOFWEEK: [25, (r) => [dateOrNot(r)]],
  date: [200, (r) => [dateOrNot(r)]],
  date_add: [220, (r) => [dateOrNot(r), count(r), r.pick(UNITS)]],
  date_sub: [80, (r) => [dateOrNot(r), count(r), r.pick(UNITS)]],
  date_diff: [220, (r) => [dateOrNot(r), dateOrNot(r), ...(r.chance(0.85) ? [r.pick(UNITS)] : [])]],
  date_format: [400, (r) => [dateOrNot(r), format(r)]],
  extract: [80, (r) => [dateOrNot(r), r.pick(['year', 'MONTH', 'day', 'Hour', 'minute', 'second', 'millisecond', 'week'])]],
  offset_utc: [80, (r) => [dateOrNot(r), r.pick([0, 1, -1, 10, 15, 16, -15, -16, 90, 240, -90, 330, 5.5, -3.75, '+05:30', '-0800', '+1', 'Z', 'x', '3'])]],
  distinct_array: [30, (r) => [r.chance(0.8) ? Array.from({ length: r.int(0, 6) }, () => r.pick([1, '1', null, true, [1], { a: 1, b: 2 }, { b: 2, a: 1 }, 0, 'x'])) : scalar(r)]],
};

const viaStatement = (name, args) => {
  const marks = args.map(() => '?').join(',');
  return alasql(`SELECT VALUE ${name}(${marks})`, args);
};

export const functionCases = (random) => {
  const cases = [];
  for (const [name, [times, make]] of Object.entries(CALLS)) {
    for (let i = 0; i < times; i++) {
      const args = make(random);
      const answer = outcome(() => (added[name] ? added[name](...args) : viaStatement(name, args)));
      cases.push({ f: name.toUpperCase(), a: encode(args), ...answer });
    }
  }
  for (const type of CASTS) {
    for (let i = 0; i < 20; i++) {
      const value = scalar(random);
      cases.push({ cast: type, a: encode(value), ...outcome(() => alasql(`SELECT VALUE CAST(? AS ${type})`, [value])) });
    }
  }
  for (const style of STYLES) {
    for (let i = 0; i < 3; i++) {
      const value = new Date(random.int(0, 4e12)).toISOString();
      cases.push({
        cast: 'STRING', style, a: value,
        ...outcome(() => alasql(`SELECT VALUE CONVERT(STRING, ?, ${style})`, [value])),
      });
    }
  }
  for (const type of ['DATE', 'DATETIME']) {
    for (let i = 0; i < 30; i++) {
      const value = random.chance(0.7) ? new Date(random.int(0, 4e12)).toISOString() : random.pick(DATES);
      cases.push({ cast: type, a: value, ...outcome(() => alasql(`SELECT VALUE CAST(? AS ${type})`, [value])) });
    }
  }
  return cases;
};
