// The engine whose answers are recorded: alasql with the functions that the product is documented to add.

process.env.TZ = 'UTC';

const { createRequire } = await import('node:module');
const require = createRequire(import.meta.url);
export const alasql = require('alasql');
export const moment = require('moment');
const jsonata = require('jsonata');
const turf = (name) => {
  const module = require(`@turf/${name}`);
  return module.default ?? module;
};
const helpers = require('@turf/helpers');
const [area, length, circle, difference, distance, contains, equal, disjoint] = [
  'area', 'length', 'circle', 'difference', 'distance', 'boolean-contains', 'boolean-equal', 'boolean-disjoint',
].map(turf);

moment.suppressDeprecationWarnings = true;

const FULL = 'YYYY-MM-DDTHH:mm:ss.SSSZZ';
const utc = (date) => moment(date).utc();
const isNull = (value) => value === null || value === undefined;

/** A text that looks like JSON as its value. */
const document = (value) => {
  if (typeof value === 'string' && /^[{[]/.test(value)) {
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }
  return value;
};

/** The answer of `compute` over shapes; `otherwise` when one is null or it fails. */
const shapes = (values, otherwise, compute) => {
  if (values.some(isNull)) return otherwise;
  try {
    return compute(...values.map(document));
  } catch {
    return otherwise;
  }
};

const PARTS = { year: 'YYYY', month: 'MM', day: 'DD', hour: 'HH', minute: 'mm', second: 'ss', millisecond: 'SSS' };
const TYPES = ['point', 'lineString', 'multiLineString', 'multiPoint', 'multiPolygon', 'polygon'];
const relation = (compute) => (a, b) => {
  const lacks = (shape) => shape?.coordinates?.includes?.(null);
  return lacks(a) || lacks(b) ? false : shapes([a, b], false, compute);
};
const distanceOf = (a, b, units) => shapes([a, b], NaN, (a, b) => distance(a, b, { units: units || 'kilometers' }));

/** What the documentation says of the added functions. */
export const added = {
  date: (date) => utc(date).format(FULL),
  date_add: (date, count, unit) => utc(date).add(count, unit).valueOf(),
  date_sub: (date, count, unit) => utc(date).subtract(count, unit).valueOf(),
  date_diff: (a, b, unit) => (unit ? utc(a).diff(utc(b), unit, true) : utc(a).diff(utc(b))),
  date_format: (date, format) => utc(date).format(format),
  extract: (date, part) => {
    const format = PARTS[part.toLowerCase()];
    return format ? utc(date).format(format) : undefined;
  },
  offset_utc: (date, offset) => utc(date).utcOffset(offset).format(FULL),
  search_json: (expression, data) => {
    if (typeof expression !== 'string' || expression === '') throw new Error('no expression');
    return jsonata(expression).evaluate(data);
  },
  distinct_array: (list) => {
    if (!Array.isArray(list)) return list;
    const { isDeepStrictEqual } = require('node:util');
    return list.filter((item, at) => !list.slice(0, at).some((other) => isDeepStrictEqual(item, other)));
  },
  geoarea: (shape) => shapes([shape], NaN, area),
  geolength: (shape, units) => shapes([shape], NaN, (shape) => length(shape, { units: units || 'kilometers' })),
  geocircle: (point, radius, units) =>
    shapes([point, radius], NaN, (point) => circle(point, radius, { units: units || 'kilometers' })),
  geodifference: (a, b) => shapes([a, b], NaN, (a, b) => difference(a, b)),
  geodistance: distanceOf,
  geonear: (a, b, limit, units) => {
    if (isNull(a) || isNull(b)) return false;
    if (isNull(limit) || isNaN(limit)) throw new Error('no distance');
    return distanceOf(a, b, units) <= limit;
  },
  geocontains: relation((a, b) => contains(a, b)),
  geoequal: relation((a, b) => equal(a, b)),
  geocrosses: relation((a, b) => !disjoint(a, b)),
  geoconvert: (coordinates, type, properties) => {
    if (isNull(coordinates) || coordinates.length === 0 || !TYPES.includes(type)) throw new Error('no shape');
    return helpers[type](document(coordinates), properties);
  },
};

for (const [name, compute] of Object.entries(added)) {
  alasql.fn[name] = compute;
  alasql.fn[name.toUpperCase()] = compute;
}

const mathjs = require('mathjs');
const overValues = (compute) => (value, list, stage) => {
  if (stage === 1) return isNull(value) ? [] : [value];
  if (stage === 2) {
    if (!isNull(value)) list.push(value);
    return list;
  }
  return list?.length > 0 ? compute(list) : null;
};
for (const name of ['mad', 'mean', 'mode', 'prod', 'median']) {
  alasql.aggr[name] = alasql.aggr[name.toUpperCase()] = overValues(mathjs[name]);
}

/** What a statement or call gives, in a form that JSON holds: `{v: …}`, `{absent: true}` or `{error: true}`. */
export const outcome = (compute) => {
  let value;
  try {
    value = compute();
  } catch {
    return { error: true };
  }
  if (value === undefined || (typeof value === 'number' && isNaN(value))) return { absent: true };
  return { v: encode(value) };
};

/** A value as JSON, with the values it lacks marked. */
export const encode = (value) => {
  if (value === undefined) return { $: 'undefined' };
  if (typeof value === 'number' && !isFinite(value)) return { $: String(value) };
  if (value instanceof Date) return { $: 'date', at: value.getTime() };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value === 'function') return { $: 'function' };
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(members.map(([name, item]) => [name, encode(item)]));
  }
  return value;
};
