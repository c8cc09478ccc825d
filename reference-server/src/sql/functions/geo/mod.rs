//! Functions of shapes on the globe. Shapes are GeoJSON values, or texts of them.

mod difference;
mod equal;
mod measure;
mod relate;
mod shape;

use super::{Function, FunctionError, argument};
use crate::sql::value::Js;
use crate::value::{Value, object, parse_json};
use shape::{Position, Shape, document, point};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "GEOAREA",
        &[],
        "shape",
        (1, 1),
        "The area in square meters; points and lines have 0.",
        &[
            (
                "ROUND(geoArea('{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[0.123456,0],[0.123456,0.123456],[0,0.123456],[0,0]]]}'), 2)",
                "188871526.05",
            ),
            ("geoArea('{\"type\":\"Point\",\"coordinates\":[1,2]}')", "0"),
            ("geoArea(NULL)", "absent"),
        ],
        |arguments| Ok(of_shape(arguments, |shape| Some(measure::area(shape)))),
    ),
    Function::new(
        "GEOLENGTH",
        &[],
        "shape[, units]",
        (1, 2),
        "The great-circle length of lines and outlines, in kilometers or the given units.",
        &[(
            "ROUND(geoLength('{\"type\":\"LineString\",\"coordinates\":[[0,0],[0,1],[1,1]]}', 'meters'), 0)",
            "222373",
        )],
        |arguments| {
            let per_radian = measure::per_radian(argument(arguments, 1));
            Ok(of_shape(arguments, |shape| measure::length(shape, per_radian)))
        },
    ),
    Function::new(
        "GEODISTANCE",
        &[],
        "a, b[, units]",
        (1, 3),
        "The great-circle distance of two points, in kilometers or the given units: meters, miles, feet, yards, inches, \
         centimeters, nauticalmiles, degrees, radians.",
        &[
            ("ROUND(geoDistance('[5.32,60.39]', '[10.75,59.91]'), 3)", "305.135"),
            ("ROUND(geoDistance('[5.32,60.39]', '[10.75,59.91]', 'miles'), 3)", "189.602"),
            ("geoDistance('[5.32,60.39]', '[10.75,59.91]', 'leagues')", "absent"),
        ],
        |arguments| Ok(Js::Number(distance(arguments, 2).unwrap_or(f64::NAN))),
    ),
    Function::new(
        "GEONEAR",
        &[],
        "a, b, distance[, units]",
        (1, 4),
        "Whether two points are no farther apart than a distance, in kilometers or the given units.",
        &[("geoNear('[5.32,60.39]', '[10.75,59.91]', 306)", "true"), ("geoNear(NULL, '[0,0]', 1)", "false")],
        near,
    ),
    Function::new(
        "GEOCONTAINS",
        &[],
        "a, b",
        (1, 2),
        "Whether `a` contains `b` completely; contact with the boundary alone is outside.",
        &[
            (
                "geoContains('{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]}', '{\"type\":\"Point\",\"coordinates\":[1,1]}')",
                "true",
            ),
            (
                "geoContains('{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]}', '{\"type\":\"Point\",\"coordinates\":[2,1]}')",
                "false",
            ),
        ],
        |arguments| Ok(Js::Bool(of_two_shapes(arguments, |a, b| relate::contains(&a, &b)))),
    ),
    Function::new(
        "GEOEQUAL",
        &[],
        "a, b",
        (1, 2),
        "Whether both are the same shape: same type and, to six decimals, same coordinates.",
        &[(
            "geoEqual('{\"type\":\"Point\",\"coordinates\":[1,2]}', '{\"type\":\"Point\",\"coordinates\":[1,2.0000001]}')",
            "true",
        )],
        |arguments| {
            let documents = present(argument(arguments, 0)).zip(present(argument(arguments, 1)));
            Ok(Js::Bool(documents.is_some_and(|(a, b)| equal::equal(&a, &b))))
        },
    ),
    Function::new(
        "GEOCROSSES",
        &[],
        "a, b",
        (1, 2),
        "Whether two shapes have a point in common.",
        &[(
            "geoCrosses('{\"type\":\"LineString\",\"coordinates\":[[0,0],[2,2]]}', '{\"type\":\"LineString\",\"coordinates\":[[0,2],[2,0]]}')",
            "true",
        )],
        |arguments| Ok(Js::Bool(of_two_shapes(arguments, relate::touches))),
    ),
    Function::new(
        "GEODIFFERENCE",
        &[],
        "a, b",
        (1, 2),
        "A feature with what is left of polygon `a` without polygon `b`; null when nothing is left.",
        &[(
            "geoDifference('{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]}', '{\"type\":\"Polygon\",\"coordinates\":[[[1,0],[2,0],[2,2],[1,2],[1,0]]]}')->geometry->coordinates",
            "[[[0,0],[1,0],[1,2],[0,2],[0,0]]]",
        )],
        difference,
    ),
    Function::new(
        "GEOCONVERT",
        &[],
        "coordinates, type[, properties]",
        (1, 3),
        "A feature of coordinates; types: point, lineString, multiLineString, multiPoint, multiPolygon, polygon.",
        &[(
            "geoConvert('[1,2]', 'point')",
            "{\"type\":\"Feature\",\"properties\":{},\"geometry\":{\"type\":\"Point\",\"coordinates\":[1,2]}}",
        )],
        convert,
    ),
    Function::new(
        "GEOCIRCLE",
        &[],
        "point, radius[, units]",
        (1, 3),
        "A feature with the polygon of 64 steps around a point; the radius in kilometers or the given units.",
        &[("LENGTH(geoCircle('[0,0]', 1)->geometry->coordinates->0)", "65")],
        |arguments| Ok(circle(arguments).map_or(Js::Undefined, Js::from)),
    ),
];

fn of_shape(arguments: &[Js], measure: impl Fn(&Shape) -> Option<f64>) -> Js {
    let shape = document(argument(arguments, 0)).and_then(|document| Shape::of(&document));
    let measure = shape.and_then(|shape| measure(&shape)).filter(|number| !number.is_nan());
    Js::Number(measure.unwrap_or(f64::NAN))
}

/// The document of an argument; none when its coordinates have a null among them.
fn present(value: &Js) -> Option<std::sync::Arc<Value>> {
    if let Js::Json(value) = value
        && let Some(coordinates) = value.get("coordinates").and_then(Value::as_array)
        && coordinates.iter().any(Value::is_null)
    {
        return None;
    }
    document(value)
}

fn of_two_shapes(arguments: &[Js], relation: impl Fn(Shape, Shape) -> bool) -> bool {
    let shape = |at: usize| present(argument(arguments, at)).and_then(|document| Shape::of(&document));
    shape(0).zip(shape(1)).is_some_and(|(a, b)| relation(a, b))
}

fn point_of(value: &Js) -> Option<Position> {
    document(value).and_then(|document| point(&document))
}

/// The distance of the first two arguments, in the units that another one gives.
fn distance(arguments: &[Js], units: usize) -> Option<f64> {
    let (a, b) = (point_of(argument(arguments, 0))?, point_of(argument(arguments, 1))?);
    let per_radian = measure::per_radian(argument(arguments, units))?;
    Some(measure::distance(&a, &b) * per_radian).filter(|number| !number.is_nan())
}

fn near(arguments: &[Js]) -> Result<Js, FunctionError> {
    if argument(arguments, 0).is_nullish() || argument(arguments, 1).is_nullish() {
        return Ok(Js::Bool(false));
    }
    let limit = argument(arguments, 2);
    if limit.is_nullish() {
        return Err(FunctionError::new("distance is required"));
    }
    let limit = limit.to_number();
    if limit.is_nan() {
        return Err(FunctionError::new("distance must be a number"));
    }
    Ok(Js::Bool(distance(arguments, 3).is_some_and(|distance| distance <= limit)))
}

fn difference(arguments: &[Js]) -> Result<Js, FunctionError> {
    let (Some(a), Some(b)) = (document(argument(arguments, 0)), document(argument(arguments, 1))) else {
        return Ok(Js::Undefined);
    };
    let (Some(shape_a), Some(shape_b)) = (Shape::of(&a), Shape::of(&b)) else {
        return Ok(Js::Undefined);
    };
    Ok(match difference::difference(&shape_a, &shape_b) {
        Ok(Some(geometry)) => Js::from(feature(properties_of(&a), geometry)),
        Ok(None) => Js::Null,
        Err(_) => Js::Undefined,
    })
}

fn circle(arguments: &[Js]) -> Option<Value> {
    let center = document(argument(arguments, 0))?;
    let radius = argument(arguments, 1);
    if radius.is_nullish() {
        return None;
    }
    let per_radian = measure::per_radian(argument(arguments, 2))?;
    let geometry = measure::circle(&point(&center)?, radius.to_number(), per_radian)?;
    Some(feature(properties_of(&center), geometry))
}

fn convert(arguments: &[Js]) -> Result<Js, FunctionError> {
    let coordinates = argument(arguments, 0);
    let is_empty = match coordinates {
        Js::Text(text) => text.is_empty(),
        Js::Json(value) => value.as_array().is_some_and(<[Value]>::is_empty),
        other => other.is_nullish(),
    };
    if is_empty {
        return Err(FunctionError::new("coordinates is required"));
    }
    let kind = argument(arguments, 1);
    let kind = match kind.as_text() {
        Some("point") => "Point",
        Some("lineString") => "LineString",
        Some("multiLineString") => "MultiLineString",
        Some("multiPoint") => "MultiPoint",
        Some("multiPolygon") => "MultiPolygon",
        Some("polygon") => "Polygon",
        _ => return Err(FunctionError(format!("{} is no type of a shape", kind.to_text()))),
    };
    let coordinates = document(coordinates).ok_or_else(|| FunctionError::new("coordinates is required"))?;
    if !are_coordinates_of(kind, &coordinates) {
        return Err(FunctionError(format!("these are not the coordinates of a {kind}")));
    }
    let properties = match argument(arguments, 2) {
        Js::Text(text) => parse_json(text.as_bytes()).unwrap_or_else(|_| Value::from(&**text)),
        other => other.to_value().unwrap_or_default(),
    };
    let properties =
        if Js::from(&properties).truth() { properties } else { Value::Object(Default::default()) };
    let geometry = object([("type", Value::from(kind)), ("coordinates", (*coordinates).clone())]);
    Ok(Js::from(feature(properties, geometry)))
}

/// What is asked of coordinates: two numbers of a point, two points of a line, closed rings of a polygon.
fn are_coordinates_of(kind: &str, coordinates: &Value) -> bool {
    let items = coordinates.as_array().unwrap_or_default();
    let is_number = |item: Option<&Value>| {
        item.is_some_and(|item| {
            !matches!(item, Value::Null | Value::Array(_)) && !Js::from(item).to_number().is_nan()
        })
    };
    let is_closed_ring =
        |ring: &Value| ring.as_array().is_some_and(|ring| ring.len() >= 4 && ring.first() == ring.last());
    match kind {
        "Point" => is_number(items.first()) && is_number(items.get(1)),
        "LineString" => items.len() >= 2,
        "Polygon" => !items.is_empty() && items.iter().all(is_closed_ring),
        _ => true,
    }
}

fn properties_of(document: &Value) -> Value {
    match document.get("properties") {
        Some(properties) if Js::from(properties).truth() => properties.clone(),
        _ => Value::Object(Default::default()),
    }
}

fn feature(properties: Value, geometry: Value) -> Value {
    object([("type", Value::from("Feature")), ("properties", properties), ("geometry", geometry)])
}
