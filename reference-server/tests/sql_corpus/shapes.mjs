// Calls of the functions of shapes.

import { added, encode, outcome } from './oracle.mjs';

const UNITS = [undefined, 'kilometers', 'meters', 'miles', 'degrees', 'radians', 'feet', 'yards', 'nauticalmiles', 'inches', 'centimeters', 'leagues', 'KILOMETERS'];

const coordinate = (r, grid) => (grid ? r.int(-4, 4) : Math.round((r.next() - 0.5) * 2e6) / 1e4);
const position = (r, grid) => {
  const [x, y] = [coordinate(r, grid), coordinate(r, grid)];
  return grid ? [x, y] : [x, Math.max(-89, Math.min(89, y))];
};
const close = (ring) => [...ring, ring[0]];
const box = (r, grid) => {
  const [x, y] = position(r, grid);
  const [w, h] = grid ? [r.int(1, 4), r.int(1, 4)] : [r.next() * 5 + 0.1, r.next() * 5 + 0.1];
  const ring = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
  return close(r.chance(0.2) ? ring.reverse() : ring);
};
/** A ring around a centre, so that it never crosses itself. */
const star = (r, grid) => {
  const [x, y] = position(r, grid);
  const corners = r.int(3, 7);
  const size = grid ? 3 : 4;
  const ring = Array.from({ length: corners }, (_, i) => {
    const angle = ((i + 0.5 * r.next()) / corners) * 2 * Math.PI;
    const radius = size * (0.3 + r.next());
    const round = (n) => Math.round(n * 1000) / 1000;
    return [round(x + radius * Math.cos(angle)), round(y + radius * Math.sin(angle))];
  });
  return close(ring);
};
const polygon = (r, grid) => {
  const outer = r.chance(0.6) ? box(r, grid) : star(r, grid);
  return { type: 'Polygon', coordinates: [outer] };
};
const withHole = (r) => {
  const [x, y] = position(r, true);
  const square = (inset, size) => close([[x + inset, y + inset], [x + inset + size, y + inset], [x + inset + size, y + inset + size], [x + inset, y + inset + size]]);
  return { type: 'Polygon', coordinates: [square(0, 4), square(1, 2).reverse()] };
};
const line = (r, grid) => Array.from({ length: r.int(2, 5) }, () => position(r, grid));
const shape = (r, grid) => {
  const kind = r.next();
  if (kind < 0.2) return { type: 'Point', coordinates: position(r, grid) };
  if (kind < 0.28) return { type: 'MultiPoint', coordinates: line(r, grid) };
  if (kind < 0.48) return { type: 'LineString', coordinates: line(r, grid) };
  if (kind < 0.54) return { type: 'MultiLineString', coordinates: [line(r, grid), line(r, grid)] };
  if (kind < 0.84) return r.chance(0.15) ? withHole(r) : polygon(r, grid);
  if (kind < 0.9) return { type: 'MultiPolygon', coordinates: [[box(r, grid)], [star(r, grid)]] };
  if (kind < 0.95) return { type: 'GeometryCollection', geometries: [shape(r, grid), shape(r, grid)] };
  return { type: 'FeatureCollection', features: [feature(r, shape(r, grid))] };
};
const feature = (r, geometry) => ({ type: 'Feature', properties: r.pick([{}, { a: 1 }]), geometry });
const JUNK = [undefined, null, '', 'x', 5, {}, [], { type: 'Point' }, { type: 'Point', coordinates: [null, 1] }, '{"type":"Point"', [1], { type: 'Polygon', coordinates: [] }, { type: 'Blob', coordinates: [1, 2] }, true];
const dressed = (r, value) => {
  const kind = r.next();
  if (kind < 0.15) return JSON.stringify(value);
  if (kind < 0.3 && value.coordinates) return feature(r, value);
  return value;
};
const any = (r, grid = true) => (r.chance(0.04) ? r.pick(JUNK) : dressed(r, shape(r, grid)));
const point = (r) => {
  if (r.chance(0.06)) return r.pick(JUNK);
  const at = position(r, r.chance(0.3));
  return dressed(r, r.chance(0.5) ? at : { type: 'Point', coordinates: at });
};
/** The same shape told otherwise. */
const retold = (r, value) => {
  const copy = structuredClone(value);
  const turn = (ring) => {
    const open = ring.slice(0, -1);
    const at = r.int(0, open.length - 1);
    return close([...open.slice(at), ...open.slice(0, at)]);
  };
  if (copy.type === 'Polygon') copy.coordinates = copy.coordinates.map((ring) => (r.chance(0.5) ? turn(ring) : ring.reverse()));
  if (copy.type === 'LineString' && r.chance(0.5)) copy.coordinates.reverse();
  if (copy.type === 'Point' && r.chance(0.5)) copy.coordinates[0] += r.pick([1e-8, 1e-3]);
  return copy;
};
const TYPES = ['point', 'lineString', 'multiLineString', 'multiPoint', 'multiPolygon', 'polygon', 'Point', 'circle', undefined];

const CALLS = {
  geoarea: [60, (r) => [any(r, r.chance(0.3))]],
  geolength: [60, (r) => [any(r, r.chance(0.3)), r.pick(UNITS)]],
  geodistance: [150, (r) => [point(r), point(r), r.pick(UNITS)]],
  geonear: [60, (r) => [point(r), point(r), r.chance(0.85) ? r.int(0, 20000) : r.pick([undefined, null, 'x', '500']), r.pick(UNITS)]],
  geocircle: [8, (r) => [point(r), r.chance(0.9) ? r.int(1, 500) : null, r.pick(UNITS)]],
  geocontains: [250, (r) => [r.chance(0.6) ? dressed(r, polygon(r, true)) : any(r), any(r)]],
  geocrosses: [200, (r) => [any(r), any(r)]],
  geoequal: [120, (r) => {
    const value = shape(r, true);
    return r.chance(0.7) ? [dressed(r, value), dressed(r, retold(r, value))] : [any(r), any(r)];
  }],
  geodifference: [150, (r) => [dressed(r, r.chance(0.2) ? withHole(r) : polygon(r, true)), r.chance(0.95) ? polygon(r, true) : any(r)]],
  geoconvert: [60, (r) => {
    const value = shape(r, true);
    const type = r.chance(0.7) && value.type ? value.type[0].toLowerCase() + value.type.slice(1) : r.pick(TYPES);
    const coordinates = value.coordinates ?? r.pick([[1, 2], [], null, ['a', 'b'], [[0, 0]], [[[0, 0], [1, 1], [2, 0], [0, 1]]]]);
    return [r.chance(0.3) ? JSON.stringify(coordinates) : coordinates, type, r.pick([undefined, null, { a: 1 }])];
  }],
};

export const shapeCases = (random) => {
  const cases = [];
  for (const [name, [times, make]] of Object.entries(CALLS)) {
    for (let i = 0; i < times; i++) {
      const args = make(random);
      while (args.length > 0 && args.at(-1) === undefined) args.pop();
      const before = encode(args);
      cases.push({ f: name.toUpperCase(), a: before, ...outcome(() => added[name](...args)) });
    }
  }
  return cases;
};
