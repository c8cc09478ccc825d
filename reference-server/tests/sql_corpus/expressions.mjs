// Random expressions over the columns of a table, by the kind of their value.

const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

export class Expressions {
  /** Columns are written with one of these qualifiers before them. */
  constructor(random, qualifiers = ['']) {
    this.r = random;
    this.qualifiers = qualifiers;
  }

  column(...names) {
    const qualifier = this.r.pick(this.qualifiers);
    return (qualifier && `${qualifier}.`) + this.r.pick(names);
  }

  literal(kind) {
    const r = this.r;
    if (kind === 'number') return r.pick(['0', '1', '2', '3', '5', '10', '-1', '0.5', '1.5', '100', '7']);
    return quoted(r.pick(['ant', 'bee', 'Bee', 'a', '', '1', '10', 'x', 'oak', 'red', 'b']));
  }

  number(depth = 2) {
    const r = this.r;
    if (depth === 0 || r.chance(0.25)) return r.chance(0.65) && this.qualifiers.length ? this.column('id', 'n', 'm', 'n', 'm') : this.literal('number');
    const a = () => this.number(depth - 1);
    switch (r.int(0, 16)) {
      case 0: case 1: case 2: return `(${a()} ${r.pick(['+', '-', '*', '/', '%'])} ${a()})`;
      case 3: return `${a()} ${r.pick(['+', '-', '*'])} ${a()}`;
      case 4: return `ABS(${a()})`;
      case 5: return `${r.pick(['CEIL', 'FLOOR', 'ROUND'])}(${a()})`;
      case 6: return `ROUND(${a()}, ${r.int(-1, 3)})`;
      case 7: return `LENGTH(${this.text(depth - 1)})`;
      case 8: return `CASE WHEN ${this.condition(depth - 1)} THEN ${a()} ELSE ${a()} END`;
      case 9: return `CAST(${r.chance(0.5) ? a() : this.text(depth - 1)} AS ${r.pick(['INT', 'FLOAT', 'DECIMAL(6,2)', 'NUMBER'])})`;
      case 10: return `IFNULL(${a()}, ${a()})`;
      case 11: return `COALESCE(${a()}, ${a()}, 0)`;
      case 12: return `(${a()} ${r.pick(['&', '|', '^', '<<', '>>'])} ${r.int(0, 5)})`;
      case 13: return this.qualifiers.length ? `${r.pick(['YEAR', 'MONTH', 'DAY', 'HOUR', 'DAYOFWEEK'])}(${this.column('dt')})` : `YEAR('2001-02-03')`;
      case 14: return `${r.pick(['GREATEST', 'LEAST'])}(${a()}, ${a()})`;
      case 15: return `INSTR(${this.text(0)}, ${this.literal('text')})`;
      default: return `(-${this.qualifiers.length ? this.column('n', 'm', 'id') : '3'})`;
    }
  }

  text(depth = 2) {
    const r = this.r;
    if (depth === 0 || r.chance(0.3)) return r.chance(0.75) && this.qualifiers.length ? this.column('s', 's', 't') : this.literal('text');
    const a = () => this.text(depth - 1);
    switch (r.int(0, 10)) {
      case 0: return `UPPER(${a()})`;
      case 1: return `LOWER(${a()})`;
      case 2: return `TRIM(${a()})`;
      case 3: return `SUBSTRING(${a()}, ${r.int(0, 3)}${r.chance(0.5) ? `, ${r.int(0, 3)}` : ''})`;
      case 4: return `REPLACE(${a()}, ${r.pick(["'e'", "'a'", "'1'"])}, ${r.pick(["'E'", "''", "'--'"])})`;
      case 5: return `CONCAT(${a()}, ${this.number(0)}, ${a()})`;
      case 6: return `(${a()} || ${a()})`;
      case 7: return `(${a()} + ${r.chance(0.5) ? a() : this.number(0)})`;
      case 8: return `CAST(${this.number(depth - 1)} AS ${r.pick(['STRING', 'VARCHAR(3)', 'CHAR(4)'])})`;
      case 9: return `IIF(${this.condition(depth - 1)}, ${a()}, ${a()})`;
      // Absent dates are now, so that joins have none.
      default: return this.qualifiers[0] === '' ? `DATE_FORMAT(${this.column('dt')}, ${r.pick(["'YYYY-MM'", "'D/M/YY'", "'dddd'", "'HH:mm'"])})` : `CONCAT_WS('-', ${a()}, ${a()})`;
    }
  }

  condition(depth = 2) {
    const r = this.r;
    if (depth > 0 && r.chance(0.45)) {
      const a = () => this.condition(depth - 1);
      switch (r.int(0, 4)) {
        case 0: return `(${a()} AND ${a()})`;
        case 1: return `(${a()} OR ${a()})`;
        case 2: return `NOT (${a()})`;
        case 3: return `${a()} AND ${a()}`;
        default: return `${a()} OR ${a()}`;
      }
    }
    return this.predicate(Math.max(0, depth - 1));
  }

  predicate(depth = 1) {
    const r = this.r;
    const compare = () => r.pick(['=', '!=', '<>', '<', '<=', '>', '>=', '=', '=', '==']);
    const list = (kind) => Array.from({ length: r.int(1, 4) }, () => this.literal(kind)).join(', ');
    const not = r.chance(0.3) ? 'NOT ' : '';
    switch (r.int(0, this.qualifiers.length ? 15 : 4)) {
      case 0: case 1: case 2: return `${this.number(depth)} ${compare()} ${this.number(depth)}`;
      case 3: case 4: return `${this.text(depth)} ${compare()} ${this.text(depth)}`;
      case 5: return `${this.column('x', 'b', 'g', 't')} ${compare()} ${r.pick(['1', '0', "'1'", 'true', 'false', "'red'", '2.5', 'NULL', "''"])}`;
      case 6: return `${this.column('n', 's', 'x', 'doc', 'b', 'm')} IS ${not}NULL`;
      case 7: return `${this.number(depth)} ${not}BETWEEN ${this.literal('number')} AND ${this.literal('number')}`;
      case 8: return `${this.column('n', 'id', 'm', 'x')} ${not}IN (${list('number')})`;
      case 9: return `${this.column('s', 'g')} ${not}IN (${Array.from({ length: r.int(1, 4) }, () => quoted(r.pick(['ant', 'Bee', 'red', 'blue', '', 'cat']))).join(', ')})`;
      case 10: case 11: return `${this.column('s', 't', 's', 'n', 'x')} ${not}LIKE ${quoted(r.pick(['%', 'a%', '%e', '%b%', '_ee', 'B__', '[abc]%', '[^a]%', '10', '1%', '', 'x_y', '%%%', '-%', '%.%', 'A_t', 'é%']))}`;
      case 12: return `${this.column('s', 't')} REGEXP ${quoted(r.pick(['^a', 'e+$', '[0-9]', 'B', '^.{3}$', 'a|b', '\\d']))}`;
      case 13: return this.column('b', 'n', 's', 'x');
      case 14: return `${this.number(0)} ${r.pick(['=', '<', '>', '>=', '!='])} ${r.pick(['ANY', 'ALL', 'SOME'])} (${r.int(0, 3)}, ${r.int(2, 6)}, ${r.int(0, 9)})`;
      default: return `${this.column('dt')} ${compare()} ${quoted(r.pick(['2001-02-03', '2005-01-01', '2020-02-29']))}`;
    }
  }

  /** A value of any kind. */
  any(depth = 2) {
    const kind = this.r.next();
    if (kind < 0.45) return this.number(depth);
    if (kind < 0.8) return this.text(depth);
    if (kind < 0.92) return this.predicate(depth - 1);
    return this.column('x', 'b', 'doc', 'g', 'doc->w', 'doc->z->0', 'doc->0');
  }
}
