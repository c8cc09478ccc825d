//! Whether two shapes are the same: same type, same points to six decimals, wherever rings start and whichever way
//! they run. Points that only divide a straight line do not count.

use super::shape::{Line, Position, Shape};
use crate::value::Value;

/// Whether two documents describe the same shape. Features must also agree in their properties.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    let is_feature = |value: &Value| value.get("type").and_then(Value::as_str) == Some("Feature");
    if is_feature(a) != is_feature(b) {
        return false;
    }
    let same = |name: &str| a.get(name) == b.get(name);
    if is_feature(a) && !(same("properties") && same("id") && same("bbox")) {
        return false;
    }
    let (Some(a), Some(b)) = (Shape::of(a).and_then(cleaned), Shape::of(b).and_then(cleaned)) else {
        return false;
    };
    shapes_equal(&a, &b)
}

fn shapes_equal(a: &Shape, b: &Shape) -> bool {
    match (a, b) {
        (Shape::Point(a), Shape::Point(b)) => positions_equal(a, b),
        (Shape::LineString(a), Shape::LineString(b)) => lines_equal(a, b, false),
        (Shape::Polygon(a), Shape::Polygon(b)) => polygons_equal(a, b),
        (Shape::MultiPoint(a), Shape::MultiPoint(b)) => all_found(a, b, positions_equal),
        (Shape::MultiLineString(a), Shape::MultiLineString(b)) => {
            all_found(a, b, |a, b| lines_equal(a, b, false))
        }
        (Shape::MultiPolygon(a), Shape::MultiPolygon(b)) => all_found(a, b, |a, b| polygons_equal(a, b)),
        _ => false,
    }
}

fn all_found<T>(a: &[T], b: &[T], equal: impl Fn(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().all(|a| b.iter().any(|b| equal(a, b)))
}

fn polygons_equal(a: &[Line], b: &[Line]) -> bool {
    let (Some((outer_a, holes_a)), Some((outer_b, holes_b))) = (a.split_first(), b.split_first()) else {
        return false;
    };
    a.len() == b.len()
        && lines_equal(outer_a, outer_b, true)
        && holes_a.iter().all(|a| holes_b.iter().any(|b| lines_equal(a, b, true)))
}

fn lines_equal(a: &[Position], b: &[Position], are_rings: bool) -> bool {
    let (Some(start), Some(first_b)) = (a.first(), b.first()) else {
        return false;
    };
    if a.len() != b.len() {
        return false;
    }
    let mut b = b.to_vec();
    if are_rings && !positions_equal(start, first_b) {
        // The ring is turned so that it starts where the other does; its last point repeats its first.
        let Some(at) = b.iter().position(|point| positions_equal(point, start)) else {
            return false;
        };
        let (head, tail) = b.split_at(at);
        let mut turned = tail.to_vec();
        turned.extend_from_slice(head.get(1..).unwrap_or_default());
        turned.extend(tail.first().cloned());
        b = turned;
    }
    let same = |a: &[Position], b: &[Position]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| positions_equal(a, b))
    };
    let reversed: Vec<Position> = a.iter().rev().cloned().collect();
    same(a, &b) || same(&reversed, &b)
}

fn positions_equal(a: &Position, b: &Position) -> bool {
    let text = |number: f64| format!("{:.6}", number + 0.0);
    a.more.len() == b.more.len()
        && text(a.x) == text(b.x)
        && text(a.y) == text(b.y)
        && a.more.iter().zip(&b.more).all(|(a, b)| text(*a) == text(*b))
}

/// The shape without points that only divide a straight line; `None` for collections and degenerate rings.
fn cleaned(shape: Shape) -> Option<Shape> {
    let clean = |lines: Vec<Line>| lines.into_iter().map(clean_line).collect::<Option<Vec<Line>>>();
    Some(match shape {
        Shape::Point(_) => shape,
        Shape::LineString(line) => Shape::LineString(clean_line(line)?),
        Shape::MultiLineString(lines) => Shape::MultiLineString(clean(lines)?),
        Shape::Polygon(rings) => Shape::Polygon(clean(rings)?),
        Shape::MultiPolygon(polygons) => {
            Shape::MultiPolygon(polygons.into_iter().map(clean).collect::<Option<Vec<Vec<Line>>>>()?)
        }
        Shape::MultiPoint(points) => {
            let mut kept: Vec<Position> = Vec::new();
            for point in points {
                if !kept.contains(&point) {
                    kept.push(point);
                }
            }
            Shape::MultiPoint(kept)
        }
        Shape::Collection(_) => return None,
    })
}

fn clean_line(points: Line) -> Option<Line> {
    let (first, last) = (points.first()?.clone(), points.last()?.clone());
    if points.len() == 2 && !first.is_at(&last) {
        return Some(points);
    }
    let mut kept: Line = vec![first.clone()];
    for point in points.get(1..points.len() - 1).unwrap_or_default() {
        if !kept.last().is_some_and(|before| before.is_at(point)) {
            kept.push(point.clone());
            drop_middle(&mut kept);
        }
    }
    kept.push(last.clone());
    if kept.len() < 3 || (first.is_at(&last) && kept.len() < 4) {
        return None;
    }
    drop_middle(&mut kept);
    Some(kept)
}

/// Removes the last but one point when it lies between its neighbours.
fn drop_middle(line: &mut Line) {
    let count = line.len();
    if let [.., start, middle, end] = line.as_slice() {
        let (across, up) = (end.x - start.x, end.y - start.y);
        if (middle.x - start.x) * up - (middle.y - start.y) * across != 0.0 {
            return;
        }
        let between = |low: f64, at: f64, high: f64| low <= at && at <= high;
        let lies_between = if across.abs() >= up.abs() {
            between(start.x.min(end.x), middle.x, start.x.max(end.x))
        } else {
            between(start.y.min(end.y), middle.y, start.y.max(end.y))
        };
        if lies_between {
            line.remove(count - 2);
        }
    }
}
