//! Measures on a sphere: distances on one of the mean radius, areas on one of the radius at the equator.

use super::shape::{Line, Position, Shape};
use crate::sql::value::Js;
use crate::value::{Value, object};
use std::f64::consts::PI;

const MEAN_RADIUS: f64 = 6_371_008.8;
const EQUATOR_RADIUS: f64 = 6_378_137.0;

/// How many of a unit make a radian of a great circle; kilometers when no unit is given.
pub(super) fn per_radian(unit: &Js) -> Option<f64> {
    if !unit.truth() {
        return Some(if fault!("sql-distances-in-metres") { MEAN_RADIUS } else { MEAN_RADIUS / 1000.0 });
    }
    Some(match unit.as_text()? {
        "centimeters" | "centimetres" => MEAN_RADIUS * 100.0,
        "degrees" => MEAN_RADIUS / 111_325.0,
        "feet" => MEAN_RADIUS * 3.28084,
        "inches" => MEAN_RADIUS * 39.37,
        "kilometers" | "kilometres" => MEAN_RADIUS / 1000.0,
        "meters" | "metres" => MEAN_RADIUS,
        "miles" => MEAN_RADIUS / 1609.344,
        "millimeters" | "millimetres" => MEAN_RADIUS * 1000.0,
        "nauticalmiles" => MEAN_RADIUS / 1852.0,
        "radians" => 1.0,
        "yards" => MEAN_RADIUS * 1.0936,
        _ => return None,
    })
}

fn radians(degrees: f64) -> f64 {
    degrees % 360.0 * PI / 180.0
}

fn degrees(radians: f64) -> f64 {
    radians % (2.0 * PI) * 180.0 / PI
}

/// The great-circle distance of two points in radians, by the haversine formula.
pub(super) fn distance(a: &Position, b: &Position) -> f64 {
    let half_latitude = (radians(b.y - a.y) / 2.0).sin();
    let half_longitude = (radians(b.x - a.x) / 2.0).sin();
    let chord = half_latitude * half_latitude
        + half_longitude * half_longitude * radians(a.y).cos() * radians(b.y).cos();
    2.0 * chord.sqrt().atan2((1.0 - chord).sqrt())
}

/// The length of lines and of the rings of polygons; points have none. Without a unit only 0 has a number.
pub(super) fn length(shape: &Shape, per_radian: Option<f64>) -> Option<f64> {
    let mut sum = Some(0.0);
    let mut add = |line: &Line| {
        for pair in line.windows(2) {
            sum = sum.zip(per_radian).map(|(sum, scale)| sum + distance(&pair[0], &pair[1]) * scale);
        }
    };
    fn each_line(shape: &Shape, add: &mut impl FnMut(&Line)) {
        match shape {
            Shape::Point(_) | Shape::MultiPoint(_) => {}
            Shape::LineString(line) => add(line),
            Shape::MultiLineString(lines) | Shape::Polygon(lines) => lines.iter().for_each(add),
            Shape::MultiPolygon(polygons) => polygons.iter().flatten().for_each(add),
            Shape::Collection(shapes) => shapes.iter().for_each(|shape| each_line(shape, add)),
        }
    }
    each_line(shape, &mut add);
    sum
}

/// The area of polygons in square meters; other shapes have none.
pub(super) fn area(shape: &Shape) -> f64 {
    match shape {
        Shape::Polygon(rings) => polygon_area(rings),
        Shape::MultiPolygon(polygons) => polygons.iter().map(|rings| polygon_area(rings)).sum::<f64>() + 0.0,
        Shape::Collection(shapes) => shapes.iter().map(area).sum::<f64>() + 0.0,
        _ => 0.0,
    }
}

fn polygon_area(rings: &[Line]) -> f64 {
    let Some((outer, holes)) = rings.split_first() else {
        return 0.0;
    };
    holes.iter().fold(ring_area(outer).abs(), |area, hole| area - ring_area(hole).abs())
}

fn ring_area(ring: &[Position]) -> f64 {
    let count = ring.len();
    if count < 3 {
        return 0.0;
    }
    let radians = |degrees: f64| degrees * PI / 180.0;
    let mut sum = 0.0;
    for first in 0..count {
        let (a, b, c) = (&ring[first], &ring[(first + 1) % count], &ring[(first + 2) % count]);
        sum += (radians(c.x) - radians(a.x)) * radians(b.y).sin();
    }
    sum * EQUATOR_RADIUS * EQUATOR_RADIUS / 2.0
}

/// The ring of 64 steps around a point.
pub(super) fn circle(center: &Position, radius: f64, per_radian: f64) -> Option<Value> {
    const STEPS: u32 = 64;
    let (longitude, latitude) = (radians(center.x), radians(center.y));
    let angle = radius / per_radian;
    let mut ring = Vec::with_capacity(STEPS as usize + 1);
    for step in 0..STEPS {
        let bearing = radians(f64::from(step) * -360.0 / f64::from(STEPS));
        let to_latitude =
            (latitude.sin() * angle.cos() + latitude.cos() * angle.sin() * bearing.cos()).asin();
        let to_longitude = longitude
            + (bearing.sin() * angle.sin() * latitude.cos())
                .atan2(angle.cos() - latitude.sin() * to_latitude.sin());
        let (x, y) = (degrees(to_longitude), degrees(to_latitude));
        if x.is_nan() || y.is_nan() {
            return None;
        }
        ring.push(Value::Array(vec![Value::Number(x), Value::Number(y)]));
    }
    ring.push(ring.first().cloned()?);
    Some(polygon_geometry(Value::Array(vec![Value::Array(ring)])))
}

fn polygon_geometry(coordinates: Value) -> Value {
    object([("type", Value::from("Polygon")), ("coordinates", coordinates)])
}
