//! Reading of GeoJSON.

use crate::sql::value::Js;
use crate::value::{Object, Value, parse_json};
use std::sync::Arc;

/// A point of a shape: longitude and latitude in degrees, and what else it gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Position {
    /// Longitude.
    pub x: f64,
    /// Latitude.
    pub y: f64,
    /// Altitude and beyond.
    pub more: Vec<f64>,
}

/// A ring of a polygon, or a line.
pub(super) type Line = Vec<Position>;

/// A geometry.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Point(Position),
    MultiPoint(Vec<Position>),
    LineString(Line),
    MultiLineString(Vec<Line>),
    /// The outer ring, then the holes.
    Polygon(Vec<Line>),
    MultiPolygon(Vec<Vec<Line>>),
    /// A collection of geometries or features.
    Collection(Vec<Shape>),
}

/// The value of an argument, texts that hold JSON read; `None` for null.
pub(super) fn document(value: &Js) -> Option<Arc<Value>> {
    match value {
        Js::Json(value) => Some(value.clone()),
        Js::Text(text) if text.starts_with(['{', '[']) => {
            parse_json(text.as_bytes()).ok().map(Arc::new).or_else(|| value.to_value().map(Arc::new))
        }
        Js::Undefined | Js::Null => None,
        other => other.to_value().map(Arc::new),
    }
}

/// The geometry of a document: itself, or that of a feature.
pub(super) fn geometry(document: &Value) -> Option<&Object> {
    let object = document.as_object()?;
    match object.get("type").and_then(Value::as_str) {
        Some("Feature") => object.get("geometry").and_then(Value::as_object),
        _ => Some(object),
    }
}

impl Shape {
    /// The shape of a geometry, a feature, or a collection of them.
    pub(super) fn of(document: &Value) -> Option<Shape> {
        let object = document.as_object()?;
        let member = |name: &str| object.get(name);
        let parts = |name: &str| -> Option<Vec<Shape>> {
            member(name)?.as_array()?.iter().filter(|part| !is_empty_feature(part)).map(Shape::of).collect()
        };
        match member("type").and_then(Value::as_str)? {
            "Feature" => Shape::of(member("geometry")?),
            "FeatureCollection" => parts("features").map(Shape::Collection),
            "GeometryCollection" => {
                let holds_features = |part: &Value| {
                    part.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("Feature"))
                };
                let geometries = member("geometries")?.as_array()?;
                if geometries.iter().any(holds_features) {
                    None
                } else {
                    parts("geometries").map(Shape::Collection)
                }
            }
            kind => Shape::with_coordinates(kind, member("coordinates")?),
        }
    }

    fn with_coordinates(kind: &str, coordinates: &Value) -> Option<Shape> {
        Some(match kind {
            "Point" => Shape::Point(position(coordinates)?),
            "MultiPoint" => Shape::MultiPoint(line(coordinates)?),
            "LineString" => Shape::LineString(line(coordinates)?),
            "MultiLineString" => Shape::MultiLineString(list(coordinates, line)?),
            "Polygon" => Shape::Polygon(list(coordinates, line)?),
            "MultiPolygon" => Shape::MultiPolygon(list(coordinates, |rings| list(rings, line))?),
            _ => return None,
        })
    }

    /// The single points, lines and polygons it consists of.
    pub(super) fn parts(self) -> Vec<Shape> {
        match self {
            Shape::MultiPoint(points) => points.into_iter().map(Shape::Point).collect(),
            Shape::MultiLineString(lines) => lines.into_iter().map(Shape::LineString).collect(),
            Shape::MultiPolygon(polygons) => polygons.into_iter().map(Shape::Polygon).collect(),
            Shape::Collection(shapes) => shapes.into_iter().flat_map(Shape::parts).collect(),
            single => vec![single],
        }
    }
}

fn is_empty_feature(value: &Value) -> bool {
    value.get("type").and_then(Value::as_str) == Some("Feature")
        && value.get("geometry").is_none_or(Value::is_null)
}

/// The point of a position, a geometry or a feature.
pub(super) fn point(document: &Value) -> Option<Position> {
    match document {
        Value::Array(_) => position(document),
        _ => {
            let geometry = geometry(document)?;
            if geometry.get("type").and_then(Value::as_str) != Some("Point") {
                return None;
            }
            position(geometry.get("coordinates")?)
        }
    }
}

fn position(value: &Value) -> Option<Position> {
    let items = value.as_array()?;
    let number = |item: &Value| match item {
        Value::Array(_) | Value::Object(_) => None,
        item => Some(Js::from(item).to_number()),
    };
    let [x, y, more @ ..] = items else {
        return None;
    };
    let more = more.iter().map(|item| number(item).unwrap_or(f64::NAN)).collect();
    Some(Position { x: number(x)?, y: number(y)?, more })
}

fn line(value: &Value) -> Option<Line> {
    list(value, position)
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(read).collect()
}

impl Position {
    /// Whether both have the same longitude and latitude.
    pub(super) fn is_at(&self, other: &Position) -> bool {
        self.x == other.x && self.y == other.y
    }
}
