// JSONata expressions over a few documents.

import { added, encode, outcome } from './oracle.mjs';

const DOCUMENTS = [
  { wood: 'oak', masts: 2, sails: [{ name: 'fore', size: 12 }, { name: 'main', size: 30.5 }], home: { port: 'Bremen', since: 1987 } },
  [{ name: 'Ann', role: 'cook', age: 31, tags: ['a', 'b'] }, { name: 'Bob', role: 'mate', age: 40 }, { name: 'Cyd', role: 'mate', tags: [] }],
  [1, 2, 3, 4],
  { orders: [{ id: 1, lines: [{ sku: 'x', qty: 2, price: 1.5 }, { sku: 'y', qty: 1, price: 4 }] }, { id: 2, lines: [{ sku: 'x', qty: 5, price: 1.5 }] }], note: null, ok: true, empty: [], none: {} },
  'plain text', 42, null, [], {}, [[1, 2], [3]], ['b', 'a', 'c', 'a'], { a: { b: { c: 7 } }, 'odd name': 1, '1': 'one' },
];
const EXPRESSIONS = [
  '$', 'wood', 'masts', 'sails', 'sails.name', 'sails[0]', 'sails[-1].name', 'sails.size', 'home.port', 'missing', 'home.missing', 'sails[size > 20].name',
  'name', '[name]', 'name[0]', '$[0]', '$[0].name', '$[role="mate"].name', '$[role="cook"].name', '$[age > 35]', '$[age]', '$count($)', '$count(name)', '$sum(age)', '$sum(sails.size)',
  '$average(age)', '$max(age)', '$min(age)', '$[$ > 2]', '$sum($)', '$average($)', '$max($)', '$sort($)', '$reverse($)', '$distinct($)', '$join($, "-")',
  '"Ann" in name', 'masts in [1,2]', '"x" in orders.lines.sku', 'masts + 1', 'masts * 2.5', 'masts - 5', 'masts / 4', 'masts % 2', '-masts', 'wood & "!"', 'wood & masts', 'masts > 1 and wood = "oak"',
  'masts > 5 or wood = "oak"', '$not(masts)', 'masts = 2', 'masts != 2', 'masts >= 2', 'wood < "z"', 'missing = 1', 'wood = masts', 'masts ? "yes" : "no"', 'missing ? 1 : 2', 'missing ? 1',
  '{"w": wood, "m": masts * 2}', 'sails.{"n": name}', 'sails{name: size}', 'sails.{name: size}', '{"a": missing}', '[wood, masts]', '[missing]', '[1..5]', '[1..3].($ * 2)', '(1; 2; 3)',
  '($x := 5; $x * 2)', '($f := function($n){ $n + 1 }; $f(4))', '($fact := function($n){ $n <= 1 ? 1 : $n * $fact($n - 1) }; $fact(5))', 'sails.name ~> $uppercase', '$uppercase(wood)',
  '$lowercase("ABC")', '$length(wood)', '$substring(wood, 1)', '$substring(wood, -2, 1)', '$substringBefore("a-b", "-")', '$substringAfter("a-b", "-")', '$pad(wood, 6)', '$pad(wood, -6, "*")', '$trim("  a  b ")',
  '$contains(wood, "a")', '$contains(wood, /O/i)', '$split("a,b,c", ",")', '$split("a1b2", /[0-9]/)', '$join(["a","b"])', '$replace("banana", "an", "AN")', '$replace("banana", /a(n)/, "<$1>")', '$match("a1b2", /[a-z]([0-9])/)',
  '$string(home)', '$string(1/3)', '$string($)', '$number("12.5")', '$number("x")', '$boolean(wood)', '$boolean([])', '$boolean([0])', '$exists(wood)', '$exists(missing)', '$type(wood)', '$keys(home)', '$keys($)', '$lookup(home, "port")',
  '$spread(home)', '$merge([{"a":1},{"b":2}])', '$each(home, function($v, $k){ $k & "=" & $v })', '$sift(home, function($v){ $v = "Bremen" })', '$map([1,2,3], function($v){ $v * $v })', '$filter([1,2,3,4], function($v){ $v % 2 = 0 })',
  '$reduce([1,2,3,4], function($a, $b){ $a + $b })', '$append([1],[2,3])', '$append(masts, 5)', '$zip([1,2],["a","b"])', '$shuffle([1])', '$single([1,2,3], function($v){ $v = 2 })', '$abs(-5.5)', '$floor(-1.5)', '$ceil(1.2)', '$round(2.5)', '$round(3.5)',
  '$round(123.456, 2)', '$round(125, -1)', '$power(2, 8)', '$sqrt(9)', '$formatNumber(12345.6, "#,###.00")', '$formatNumber(0.14, "01%")', '$formatBase(100, 16)', '$formatInteger(1999, "I")', '$formatInteger(12, "w")', '$parseInteger("twelve", "w")',
  '$fromMillis(1510067557121)', '$fromMillis(1510067557121, "[M01]/[D01]/[Y0001] [h#1]:[m01][P]")', '$toMillis("2017-11-07T15:07:54.972Z")', '$toMillis("2017-11-07", "[Y]-[M]-[D]")', '$base64encode("abc")', '$base64decode("YWJj")',
  '$encodeUrlComponent("a b&c")', '$decodeUrlComponent("a%20b")', 'orders.lines.sku', 'orders.lines[0].sku', '(orders.lines)[0].sku', 'orders.lines[qty > 1]', 'orders[id = 2].lines.price', '$sum(orders.lines.(qty * price))', 'orders.(id & ":" & $count(lines))',
  'orders^(>id).id', 'orders.lines^(price, >qty).sku', 'orders.lines{sku: $sum(qty)}', 'orders{$string(id): $count(lines)}', 'orders@$o.lines.{"id": $o.id, "sku": sku}', 'orders#$i.{"at": $i, "id": id}', 'orders.lines.%.id', '**.sku', '*', 'orders.*', 'note', 'ok', 'empty', 'none', 'orders.lines.qty[0]',
  'orders[0].lines[1]', 'orders[-1].id', 'orders[[0..1]].id', 'lines', '`odd name`', '"odd name"', '`1`', 'a.b.c', 'a.*.c', '**.c', '$$.wood', '$.wood', 'sails.($$.wood)', 'a ~> | b | {"d": 1} |', '$ ~> | sails | {"big": size > 20} |', 'null', 'true', 'false',
  '"it\'s"', "'single'", '"\\u0041"', '1e3', '-1', '1.5e-3', '1 + ', '(', 'wood..port', '$unknown(1)', 'wood + 1', '$sum("x")', '$uppercase(1)', '[1,2][3]', '[[1,2],[3]]', '[[1,2],[3]].$', '$[]', 'wood[]', 'masts[0]', 'missing[]', 'sails[0][]',
  'masts ?: 5', 'missing ?? 5', '$eval("1+2")', '$eval("masts")', '$error("bad")', '$assert(true)', '$assert(false, "no")', '$clone(home)', '$now() != ""', '$random() < 1', '$millis() > 0', 'function($x){$x}', '$uppercase', 'λ($x){$x}(3)', '/a/', '$string({"a":[1,{"b":null}]}, true)',
  '1 = 1.0', '[1,2] = [1,2]', '{"a":1} = {"a":1}', '"a" in "a"', 'null = null', 'note = null', '1/0', '0/0', '$type(null)', '$type([])', '$type($f)', '"10" > "9"', '10 > "9"', 'tags', 'tags[0]', '$[0].tags', '$.tags', '[$.tags]', '$count(tags)', 'name & role', '$.(name & "/" & role)',
  '$distinct(role)', '$sort(name)', '$sort($, function($l, $r){ $l.age > $r.age }).name', '$^(age).name', '$^(>name).name', '$[0..1]', '$#$i[$i = 1].name', '$[1]', '$[-1]', '$[5]', '$[1.9]', '$[true]', '$[false]', '$[[0,2]]', '$.$', '$.*', 'ages := 5', '/* note */ wood', 'wood /* note */',
];
const PATHS = ['wood', 'masts', 'sails', 'name', 'age', 'role', 'orders', 'lines', 'qty', 'price', 'sku', 'home', 'port', 'tags', 'a', 'b', '$', 'missing', 'size', 'id'];
const path = (r) => Array.from({ length: r.int(1, 3) }, () => r.pick(PATHS) + (r.chance(0.2) ? `[${r.pick(['0', '-1', 'qty > 1', 'age', '$ > 1', 'name = "Ann"', '1', ''])}]` : '')).join('.');
const term = (r) => (r.chance(0.6) ? path(r) : r.pick(['1', '2.5', '"oak"', '"x"', 'true', 'null', '[1,2]', '[]', '-3', '{"k": 1}']));
const expression = (r, depth = 2) => {
  if (depth === 0 || r.chance(0.3)) return term(r);
  const inner = () => expression(r, depth - 1);
  switch (r.int(0, 6)) {
    case 0: return `${inner()} ${r.pick(['+', '-', '*', '/', '%'])} ${inner()}`;
    case 1: return `${inner()} ${r.pick(['=', '!=', '<', '>', '<=', '>=', 'in'])} ${inner()}`;
    case 2: return `${inner()} ${r.pick(['and', 'or', '&'])} ${inner()}`;
    case 3: return `$${r.pick(['sum', 'count', 'max', 'min', 'average', 'string', 'boolean', 'not', 'exists', 'type', 'keys', 'reverse', 'sort', 'distinct', 'length', 'uppercase', 'number', 'abs', 'round', 'sqrt', 'floor', 'spread', 'merge', 'trim'])}(${inner()})`;
    case 4: return `[${inner()}, ${inner()}]`;
    case 5: return `{"p": ${inner()}, "q": ${inner()}}`;
    default: return `(${inner()}).${r.pick(PATHS)}`;
  }
};

export const documentCases = (random) => {
  const cases = [];
  const add = (text, at) => {
    const args = [text, DOCUMENTS[at]];
    cases.push({ f: 'SEARCH_JSON', e: text, d: at, ...outcome(() => added.search_json(...structuredClone(args))) });
  };
  for (const text of EXPRESSIONS) {
    for (const at of random.some(DOCUMENTS.map((_, at) => at), 3)) add(text, at);
    add(text, random.pick([0, 1, 3]));
  }
  for (let i = 0; i < 700; i++) add(expression(random), random.pick([0, 1, 1, 3, 3, 11, 2]));
  return [{ documents: encode(DOCUMENTS) }, ...cases];
};
