//! What is left of a polygon when another one is taken away.

use super::shape::{Line, Shape};
use crate::value::{Value, object};
use geo::{BooleanOps, Coord, LineString, MultiPolygon, Polygon};

/// The geometry of `a` without `b`: a Polygon, a MultiPolygon, or `None` when nothing is left. The outer error is for
/// shapes that are no polygons.
pub(super) fn difference(a: &Shape, b: &Shape) -> Result<Option<Value>, NotPolygons> {
    let (Some(a), Some(b)) = (polygons(a), polygons(b)) else {
        return Err(NotPolygons);
    };
    let exact = ExactPoints::of(&a, &b);
    let left = a.difference(&b);
    let mut rings: Vec<Vec<Vec<Coord>>> = left
        .iter()
        .map(|polygon| {
            let outer = ring(polygon.exterior(), &exact, true);
            let holes = polygon.interiors().iter().map(|hole| ring(hole, &exact, false));
            std::iter::once(outer).chain(holes).filter(|ring| ring.len() > 3).collect::<Vec<_>>()
        })
        .filter(|rings: &Vec<_>| !rings.is_empty())
        .collect();
    rings.sort_by(|a, b| before(start(a), start(b)));
    Ok(match rings.as_slice() {
        [] => None,
        [only] => Some(geometry("Polygon", polygon_value(only))),
        several => Some(geometry(
            "MultiPolygon",
            Value::Array(several.iter().map(|one| polygon_value(one)).collect()),
        )),
    })
}

/// The shapes have no difference.
#[derive(Debug)]
pub(super) struct NotPolygons;

fn polygons(shape: &Shape) -> Option<MultiPolygon> {
    let line = |line: &Line| -> Option<LineString> {
        let is_finite = line.iter().all(|point| point.x.is_finite() && point.y.is_finite());
        is_finite.then(|| line.iter().map(|point| Coord { x: point.x, y: point.y }).collect())
    };
    let polygon = |rings: &Vec<Line>| -> Option<Polygon> {
        let (outer, holes) = rings.split_first()?;
        Some(Polygon::new(line(outer)?, holes.iter().map(line).collect::<Option<Vec<_>>>()?))
    };
    match shape {
        // Lines that are told as rings would be.
        Shape::Polygon(rings) | Shape::MultiLineString(rings) => Some(MultiPolygon(vec![polygon(rings)?])),
        Shape::MultiPolygon(all) => Some(MultiPolygon(all.iter().map(polygon).collect::<Option<Vec<_>>>()?)),
        _ => None,
    }
}

/// The corners a result can have: those of the polygons and where their edges cross. The set operation works on a
/// grid, so that its points lie beside them.
struct ExactPoints {
    points: Vec<Coord>,
    tolerance: f64,
}

impl ExactPoints {
    fn of(a: &MultiPolygon, b: &MultiPolygon) -> ExactPoints {
        let edges = |polygons: &MultiPolygon| -> Vec<(Coord, Coord)> {
            let rings =
                polygons.iter().flat_map(|one| std::iter::once(one.exterior()).chain(one.interiors()));
            rings
                .flat_map(|ring| ring.lines().map(|line| (line.start, line.end)).collect::<Vec<_>>())
                .collect()
        };
        let (edges_a, edges_b) = (edges(a), edges(b));
        let mut points: Vec<Coord> = edges_a.iter().chain(&edges_b).map(|edge| edge.0).collect();
        let size = points.iter().map(|point| point.x.abs().max(point.y.abs())).fold(0.0, f64::max);
        for a in &edges_a {
            points.extend(edges_b.iter().filter_map(|b| crossing(*a, *b)));
        }
        points.sort_by(|a, b| before(*a, *b));
        ExactPoints { points, tolerance: size * 1e-8 }
    }

    fn nearest(&self, point: Coord) -> Coord {
        let from = self.points.partition_point(|other| other.x < point.x - self.tolerance);
        let near = self.points.get(from..).unwrap_or_default().iter();
        let distance = |other: &Coord| (other.x - point.x).abs().max((other.y - point.y).abs());
        near.take_while(|other| other.x <= point.x + self.tolerance)
            .filter(|other| distance(other) <= self.tolerance)
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .copied()
            .unwrap_or(point)
    }
}

/// Where two edges cross.
fn crossing(a: (Coord, Coord), b: (Coord, Coord)) -> Option<Coord> {
    let (along_a, along_b) = (a.1 - a.0, b.1 - b.0);
    let apart = a.0.x.max(a.1.x) < b.0.x.min(b.1.x)
        || b.0.x.max(b.1.x) < a.0.x.min(a.1.x)
        || a.0.y.max(a.1.y) < b.0.y.min(b.1.y)
        || b.0.y.max(b.1.y) < a.0.y.min(a.1.y);
    let cross = |a: Coord, b: Coord| a.x * b.y - a.y * b.x;
    let denominator = cross(along_a, along_b);
    if apart || denominator == 0.0 {
        return None;
    }
    let upright =
        |start: Coord, along: Coord, x: f64| Coord { x, y: start.y + along.y / along.x * (x - start.x) };
    let level =
        |start: Coord, along: Coord, y: f64| Coord { x: start.x + along.x / along.y * (y - start.y), y };
    Some(if along_a.x == 0.0 {
        upright(b.0, along_b, a.0.x)
    } else if along_b.x == 0.0 {
        upright(a.0, along_a, b.0.x)
    } else if along_a.y == 0.0 {
        level(b.0, along_b, a.0.y)
    } else if along_b.y == 0.0 {
        level(a.0, along_a, b.0.y)
    } else {
        let between = b.0 - a.0;
        let (on_b, on_a) = (cross(between, along_a) / denominator, cross(between, along_b) / denominator);
        Coord {
            x: (a.0.x + on_a * along_a.x + b.0.x + on_b * along_b.x) / 2.0,
            y: (a.0.y + on_a * along_a.y + b.0.y + on_b * along_b.y) / 2.0,
        }
    })
}

/// A ring from its westernmost, then southernmost point on: outer ones counter-clockwise, holes clockwise.
fn ring(line: &LineString, exact: &ExactPoints, is_outer: bool) -> Vec<Coord> {
    let mut points: Vec<Coord> = line.coords().map(|point| exact.nearest(*point)).collect();
    points.dedup();
    if points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    let count = points.len();
    let corner = |at: usize| points[at % count];
    let turns = |at: usize| {
        let (a, b, c) = (corner(at + count - 1), corner(at), corner(at + 1));
        (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x) != 0.0
    };
    let mut kept: Vec<Coord> = (0..count).filter(|at| turns(*at)).map(corner).collect();
    let doubled_area: f64 =
        kept.iter().zip(kept.iter().cycle().skip(1)).map(|(a, b)| a.x * b.y - b.x * a.y).sum();
    if (doubled_area > 0.0) != is_outer {
        kept.reverse();
    }
    let first = (0..kept.len()).min_by(|a, b| before(kept[*a], kept[*b])).unwrap_or(0);
    kept.rotate_left(first);
    kept.extend(kept.first().copied());
    kept
}

fn start(rings: &[Vec<Coord>]) -> Coord {
    rings.first().and_then(|ring| ring.first()).copied().unwrap_or_default()
}

fn before(a: Coord, b: Coord) -> std::cmp::Ordering {
    a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y))
}

fn polygon_value(rings: &[Vec<Coord>]) -> Value {
    let point = |point: &Coord| Value::Array(vec![Value::Number(point.x), Value::Number(point.y)]);
    Value::Array(rings.iter().map(|ring| Value::Array(ring.iter().map(point).collect())).collect())
}

fn geometry(kind: &str, coordinates: Value) -> Value {
    object([("type", Value::from(kind)), ("coordinates", coordinates)])
}
